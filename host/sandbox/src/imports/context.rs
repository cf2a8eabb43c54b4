//! `context`: the run that a guest is part of. A rehearsal writes no file and shows no image.

use berth_compute::Tensor;
use wasmtime::component::Resource;

use super::bindings::berth::node::context;
use super::{Error, Returned};
use crate::error::GuestError;
use crate::events::{Level, Place};
use crate::rights::{INPUT, OUTPUT, Right};
use crate::state::{LEAST_FILE, State};
use crate::text;

impl context::Host for State {
    fn log(&mut self, level: context::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            context::Level::Trace => Level::Trace,
            context::Level::Debug => Level::Debug,
            context::Level::Info => Level::Info,
            context::Level::Warn => Level::Warn,
            context::Level::Error => Level::Error,
        };
        if self.voice.logs.take() {
            let message = text::line(&message);
            self.context.events.log(level, &message);
            if level == Level::Error {
                // Some languages say there why they give up.
                self.stderr.push(format!("{message}\n").as_bytes());
            }
        }
        Ok(())
    }

    fn progress(&mut self, value: u32, total: u32) -> wasmtime::Result<()> {
        let voice = &mut self.voice;
        let bucket = if value >= total { &mut voice.ends } else { &mut voice.progress };
        if bucket.take() {
            self.context.events.progress(value.min(total), total);
        }
        Ok(())
    }

    fn preview(&mut self, image: Resource<Tensor>) -> Returned<()> {
        let shown = self.table.get(&image)?;
        if !matches!(shown.shape(), [_, _, 3]) || shown.dtype() != berth_compute::DType::F32 {
            return Ok(Err(Error::InvalidArgument(format!(
                "preview: expected f32 [height, width, 3], got {:?} {:?}",
                shown.dtype(),
                shown.shape()
            ))));
        }
        if !self.compute().is_rehearsal() && self.voice.previews.take() {
            let image = self.table.get(&image)?;
            self.context.events.preview(image);
        }
        Ok(Ok(()))
    }

    fn cancelled(&mut self) -> wasmtime::Result<bool> {
        Ok(self.context.cancel.is_cancelled())
    }

    fn show_text(&mut self, text: String) -> wasmtime::Result<()> {
        self.give_bytes(text.len())?;
        if self.voice.texts.take() {
            self.context.events.text(&text::page(&text));
        }
        Ok(())
    }

    fn save(
        &mut self,
        place: context::Place,
        kind: String,
        prefix: String,
        extension: String,
        data: Vec<u8>,
    ) -> Returned<context::Artifact> {
        let target = match place {
            context::Place::Output => Place::Output,
            context::Place::Temporary => Place::Temporary,
        };
        // Files of no lasting value are everybody's.
        if target == Place::Output
            && let Err(error) = self.plugin.demand(Right::Write(OUTPUT.into()))
        {
            return Ok(Err(error.into()));
        }
        self.give_bytes(data.len().max(LEAST_FILE))?;
        let folders = self.plugin.sandbox().folders();
        let saved = if self.compute().is_rehearsal() {
            folders.rehearse_save(target, &kind, &prefix, &extension)
        } else {
            folders.save(target, &kind, &prefix, &extension, &data)
        };
        Ok(match saved {
            Ok(artifact) => {
                self.context.events.artifact(&artifact);
                Ok(context::Artifact { name: artifact.name, subfolder: artifact.subfolder, place })
            }
            Err(error) => Err(error.into()),
        })
    }

    fn read_input(&mut self, name: String) -> Returned<Vec<u8>> {
        Ok(self.input(&name).map_err(Into::into))
    }

    fn input_fingerprint(&mut self, name: String) -> Returned<String> {
        Ok(match self.input(&name) {
            Ok(bytes) => Ok(blake3::hash(&bytes).to_hex().to_string()),
            Err(error) => Err(error.into()),
        })
    }
}

impl State {
    fn input(&self, name: &str) -> Result<Vec<u8>, GuestError> {
        self.plugin.demand(Right::Read(INPUT.into()))?;
        self.plugin.sandbox().folders().read_input(name)
    }
}
