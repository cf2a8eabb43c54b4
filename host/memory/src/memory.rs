//! (being written)
use std::sync::Arc;
use crate::*;
/// Memory.
pub struct Memory<D: Device>(Arc<D>);
impl<D: Device> Clone for Memory<D> { fn clone(&self) -> Self { Self(self.0.clone()) } }
/// Handle.
pub struct Handle<D: Device>(Arc<(Memory<D>, Account, u64, D::Format)>);
impl<D: Device> Clone for Handle<D> { fn clone(&self) -> Self { Self(self.0.clone()) } }
/// Lease.
pub struct Lease<D: Device>(Memory<D>);
fn nyi<T>() -> Result<T, MemoryError> { Err(MemoryError::Cancelled) }
impl<D: Device> Memory<D> {
    /// New.
    pub fn new(device: D, _limits: Limits, _mode: Box<dyn OffloadMode>) -> Self { Self(Arc::new(device)) }
    /// Account.
    pub fn account(&self, name: &str) -> Account { Account::new(name, 0) }
    /// Device.
    pub fn device(&self) -> &D { &self.0 }
    /// Clean.
    pub fn clean(&self, account: &Account, _source: Arc<dyn Source>, _offset: u64, bytes: u64, format: D::Format) -> Handle<D> { Handle(Arc::new((self.clone(), account.clone(), bytes, format))) }
    /// Upload.
    pub fn upload(&self, _account: &Account, _bytes: Vec<u8>, _format: D::Format) -> Result<Handle<D>, MemoryError> { nyi() }
    /// Lease.
    pub fn lease(&self, _account: &Account, _inputs: &[&Handle<D>], _outputs: &[(u64, D::Format)], _workspace: u64, _cancel: &Cancel) -> Result<Lease<D>, MemoryError> { nyi() }
    /// Stats.
    pub fn stats(&self) -> Stats { Stats { tiers: PerTier::default(), accounts: vec![], allocations: 0, leases: 0, moved: Moved::default(), evictions: 0, waits: 0 } }
    /// What the account is charged.
    pub fn charge(&self, _account: &Account) -> PerTier<u64> { PerTier::default() }
    /// Quota.
    pub fn set_quota(&self, _account: &Account, _tier: Tier, _bytes: Option<u64>) {}
    /// Offload.
    pub fn offload(&self, _handles: &[&Handle<D>]) -> Result<u64, MemoryError> { nyi() }
    /// Restore: to the device as far as there is room, without evicting.
    pub fn restore(&self, _account: &Account, _handles: &[&Handle<D>], _cancel: &Cancel) -> Result<u64, MemoryError> { nyi() }
}
/// Id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AllocationId(u64);
impl<D: Device> Handle<D> {
    /// Bytes.
    pub fn bytes(&self) -> u64 { self.0.2 }
    /// Format.
    pub fn format(&self) -> D::Format { self.0.3 }
    /// Account.
    pub fn account(&self) -> &Account { &self.0.1 }
    /// For account.
    pub fn for_account(&self, account: &Account) -> Handle<D> { Handle(Arc::new((self.0.0.clone(), account.clone(), self.0.2, self.0.3))) }
    /// Read.
    pub fn read(&self, _offset: u64, _into: &mut [u8]) -> Result<(), MemoryError> { nyi() }
    /// Id.
    pub fn id(&self) -> AllocationId { AllocationId(0) }
    /// Residency.
    pub fn residency(&self) -> Residency { Residency::default() }
}
impl<D: Device> Lease<D> {
    /// Input.
    pub fn input(&self, _i: usize) -> Option<&D::Buffer> { let _ = &self.0; None }
    /// Finish.
    pub fn finish(self, _outputs: Vec<D::Buffer>) -> Result<Vec<Handle<D>>, MemoryError> { nyi() }
}
