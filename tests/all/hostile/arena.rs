//! Where a hostile guest meets the host, beside a neighbour that wants nothing but to work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use berth_hostile::Hostile;
use berth_memory::{PerTier, Tier};
use berth_sandbox::rights::Requests;
use berth_sandbox::{Plugin, Policy, RunContext, RunLimits, SandboxError, Value};
use berth_tests::HOSTILE;
use berth_tests::host::{DEMO, Host, Options, manifest};

/// What the host calls every hostile plugin.
pub const NAME: &str = "hostile";

/// One way to harm a host.
pub trait Case {
    /// Who tries.
    const GUEST: Guest;

    /// Room and mode of the host that it tries it on.
    fn options() -> Options {
        Options::default()
    }

    /// Has it try, and says what came of it. What must hold of the error, the case itself asserts.
    fn provoke(arena: &Arena) -> Outcome;
}

/// A hostile guest.
#[derive(Clone, Copy)]
pub enum Guest {
    /// A node of the hostile component.
    Node(Hostile),
    /// A component of its own, or what pretends to be one.
    Bytes(fn() -> Vec<u8>),
}

/// What came of it.
pub enum Outcome {
    /// An error, which must be about the guest.
    Refused(SandboxError),
    /// Nothing worth an error: the host coped.
    Coped,
}

/// A host with a neighbour.
pub struct Arena {
    pub host: Host,
    pub guest: Guest,
    model: Value,
}

impl Guest {
    /// The component.
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Self::Node(_) => HOSTILE.to_vec(),
            Self::Bytes(make) => make(),
        }
    }
}

impl Arena {
    fn new(options: Options, guest: Guest) -> Self {
        let host = Host::with(options);
        let model = host.checkpoint(DEMO).model;
        Self { host, guest, model }
    }

    /// Loads the guest with the right to nothing.
    pub fn load(&self, limits: RunLimits) -> Result<Arc<Plugin>, SandboxError> {
        self.load_with(&Requests::default(), limits)
    }

    /// Loads the guest, which requests these rights and is granted them.
    pub fn load_with(
        &self,
        rights: &Requests,
        limits: RunLimits,
    ) -> Result<Arc<Plugin>, SandboxError> {
        self.load_as(&self.guest.bytes(), rights, limits)
    }

    /// Loads another component in the guest's place, with the right to nothing.
    pub fn load_bytes(&self, bytes: &[u8], limits: RunLimits) -> Result<Arc<Plugin>, SandboxError> {
        self.load_as(bytes, &Requests::default(), limits)
    }

    fn load_as(
        &self,
        bytes: &[u8],
        rights: &Requests,
        limits: RunLimits,
    ) -> Result<Arc<Plugin>, SandboxError> {
        let grants =
            berth_sandbox::rights::Grants { allowed: rights.clone(), ..Default::default() };
        let policy = Policy { grants, limits, digest: None };
        self.host.sandbox().load(NAME, bytes, Some(manifest(NAME, rights)), &policy)
    }

    /// Runs the guest's node in a plugin that was loaded.
    pub fn run_in(
        &self,
        plugin: &Arc<Plugin>,
        inputs: Vec<(&str, Value)>,
        context: &RunContext,
    ) -> Result<Vec<Value>, SandboxError> {
        let node = match self.guest {
            Guest::Node(node) => node.node(),
            Guest::Bytes(_) => "Attack",
        };
        let inputs = inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        plugin.run(node, inputs, context)
    }

    /// Loads the guest and runs its node under these limits.
    pub fn run(
        &self,
        inputs: Vec<(&str, Value)>,
        limits: RunLimits,
    ) -> Result<Vec<Value>, SandboxError> {
        let plugin = self.load(limits)?;
        self.run_in(&plugin, inputs, self.host.context())
    }

    /// What the neighbour computes: a step of the demo's model.
    fn neighbour(&self) -> Vec<u32> {
        self.host.step(&self.model)
    }

    /// The guest's plugin holds nothing, and nobody has anything on lease.
    fn nothing_is_left(&self) {
        let stats = self.host.stats();
        // Whoever holds something keeps its account, also when its plugin is gone.
        for account in stats.accounts.iter().filter(|account| account.name == NAME) {
            let PerTier { device, host, disk } = account.charge;
            assert_eq!((device, host, disk), (0, 0, 0), "something is charged");
        }
        assert_eq!(stats.leases, 0);
        let device = stats.tier(Tier::Device);
        assert!(device.limit.is_none_or(|limit| device.peak <= limit), "{device:?}");
    }
}

/// What the neighbour computes where nobody is hostile.
fn alone() -> &'static [u32] {
    static ALONE: OnceLock<Vec<u32>> = OnceLock::new();
    ALONE.get_or_init(|| Arena::new(Options::default(), Guest::Node(Hostile::Spin)).neighbour())
}

/// Has a guest try to do harm, and shows that it did none.
pub fn survives<C: Case>() {
    let expected = alone();
    let arena = Arena::new(C::options(), C::GUEST);
    let over = AtomicBool::new(false);
    let outcome = std::thread::scope(|threads| {
        let neighbour = threads.spawn(|| {
            let mut times = 0;
            while times == 0 || !over.load(Ordering::Acquire) {
                assert!(arena.neighbour() == expected, "another result beside the guest");
                times += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        // On a stack as large as the host gives its runs.
        let provoke = std::thread::Builder::new()
            .stack_size(berth_sandbox::STACK_SIZE)
            .spawn_scoped(threads, || C::provoke(&arena))
            .unwrap();
        let outcome = provoke.join();
        over.store(true, Ordering::Release);
        neighbour.join().unwrap();
        outcome.unwrap()
    });
    if let Outcome::Refused(error) = outcome {
        println!("{error}");
        assert_eq!(error.plugin(), Some(NAME), "{error:?}");
        assert!(error.to_string().len() < 4096, "{error}");
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }
    arena.nothing_is_left();
    assert!(arena.neighbour() == expected, "another result after the guest");
}
