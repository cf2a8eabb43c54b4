//! What an operator would write to give a plugin what it requests.

use std::fmt::Write;

use berth_sandbox::rights::{INPUT, OUTPUT, Requests};
use toml::Value;

/// The table of `berth.toml` that grants everything that is requested. A folder of the plugin's own
/// label stands for `DIR`, which the operator has to name. None if nothing is requested.
#[must_use]
pub fn grants(name: &str, requests: &Requests) -> Option<String> {
    let table = toml::Table::try_from(requests).ok().filter(|table| !table.is_empty())?;
    let mut text = format!("[plugins.{name}.grants]\n");
    for (right, value) in table {
        let value = match value {
            Value::Table(folders) => inline(&folders),
            value => value.to_string(),
        };
        // A text does not fail to be written to.
        let _ = writeln!(text, "{right} = {value}");
    }
    Some(text)
}

fn inline(folders: &toml::Table) -> String {
    let folder = |(label, access): (&String, &Value)| match label.as_str() {
        INPUT | OUTPUT => format!("{label} = {access}"),
        _ => format!("{label} = {{ path = \"DIR\", access = {access} }}"),
    };
    let folders: Vec<String> = folders.iter().map(folder).collect();
    format!("{{ {} }}", folders.join(", "))
}

#[cfg(test)]
mod tests {
    use berth_sandbox::Manifest;
    use berth_workflow::Config;

    use super::*;

    #[test]
    fn what_is_to_be_written_is_what_the_configuration_reads() {
        let requests = "memory = true\nclock = true\nenvironment = [\"LANG\"]\n\
                        network = [\"example.com:443\"]\nmodels = [\"vae/*\", \"luts/*\"]\n\
                        folders = { input = \"read\", presets = \"write\" }";
        let manifest = format!(
            "name = \"a\"\nversion = \"1.0.0\"\ncontract = \"0.2.0\"\n[requests]\n{requests}"
        );
        let requests = Manifest::parse("a", &manifest).unwrap().requests;
        let text = grants("a", &requests).unwrap();
        assert!(text.contains("presets = { path = \"DIR\", access = \"write\" }"), "{text}");
        let config = Config::parse("berth.toml", text).unwrap();
        let granted = berth_sandbox::rights::Grants::from(config.plugins["a"].grants.clone());
        assert_eq!(granted.allowed, requests);
        assert_eq!(grants("a", &Requests::default()), None);
    }
}
