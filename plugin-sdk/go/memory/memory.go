// Package memory is for looking at where bytes are, and moving them, which takes a right.
//
// A plugin that imports it requests memory in its plugin.toml, and is only loaded where the operator
// granted it. What an object reaches are the tensors in it and what its functions need. Nothing here
// changes a result, only how soon it is there.
package memory

import (
	"berth"
	"berth/internal/bridge"
	witTypes "go.bytecodealliance.org/pkg/wit/types"
	host "wit_component/berth_node_memory"
	types "wit_component/berth_node_types"
	values "wit_component/berth_node_values"
)

// PerTier is one value for each tier, in bytes.
type PerTier struct{ Device, Host, Disk uint64 }

// Quotas is the most bytes on each tier, or nil where there is no quota.
type Quotas struct{ Device, Host, Disk *uint64 }

// TierUse is use and limit of one tier, in bytes.
type TierUse struct {
	Tier  berth.Tier
	Used  uint64  // In use now; on disk, what is spilled.
	Peak  uint64  // The most that was ever in use.
	Limit *uint64 // The most that may be in use, or nil.
}

// PluginUse is what one plugin holds, in bytes.
type PluginUse struct {
	Plugin string
	Charge PerTier // What it is charged.
	Quota  Quotas  // The most that it may hold.
	Share  uint64  // What it keeps of the device while others need room.
}

// Statistics is how things stand at one moment.
type Statistics struct {
	Tiers         []TierUse
	Plugins       []PluginUse
	CachedResults uint64 // Bytes of cached results that no running node needs, on any tier.
	DRAMCache     uint64 // Bytes in the host's memory of what the DRAM cache reaches.
}

func pointer(option witTypes.Option[uint64]) *uint64 {
	if value, ok := option.Get(); ok {
		return &value
	}
	return nil
}

// Snapshot is how things stand.
func Snapshot() Statistics {
	found := host.Snapshot()
	s := Statistics{CachedResults: found.CachedResults, DRAMCache: found.DramCache}
	for _, t := range found.Tiers {
		s.Tiers = append(s.Tiers, TierUse{berth.Tier(t.Tier), t.Used, t.Peak, pointer(t.Limit)})
	}
	for _, p := range found.Plugins {
		s.Plugins = append(s.Plugins, PluginUse{p.Plugin, PerTier(p.Charge),
			Quotas{pointer(p.Quota.Device), pointer(p.Quota.Host), pointer(p.Quota.Disk)}, p.Share})
	}
	return s
}

func take[T any](result witTypes.Result[T, types.Error]) (T, error) {
	if result.Tag() == witTypes.ResultErr {
		var none T
		return none, bridge.Error(result.Err())
	}
	return result.Ok(), nil
}

// raw is an object's handle. It panics for nil, which the node then fails with.
func raw(target *berth.Object) *values.Object { return bridge.Raw(target) }

// Offload moves what the object reaches from the device to the host's memory. What a running operation
// uses stays where it is. It gives the bytes that left.
// Errors: [berth.ErrOutOfMemory] and [berth.ErrQuotaExceeded] when the host's memory has no room.
func Offload(target *berth.Object) (uint64, error) { return take(host.Offload(raw(target))) }

// Restore moves what the object reaches to the device, as far as there is room without anything else
// leaving. It gives the bytes that came.
func Restore(target *berth.Object) (uint64, error) { return take(host.Restore(raw(target))) }

// Remember keeps the object in the DRAM cache, beyond this run. It gives its id, which an equal object
// has in every host.
func Remember(target *berth.Object) (string, error) { return take(host.Remember(raw(target))) }

// Recall is the object that the DRAM cache keeps under an id. Errors: [berth.ErrNotFound].
func Recall(id string) (*berth.Object, error) {
	found, err := take(host.Recall(id))
	if err != nil {
		return nil, err
	}
	return bridge.Object(found).(*berth.Object), nil
}

// Forget drops an object from the DRAM cache. It gives whether it was there.
func Forget(id string) bool { return host.Forget(id) }

// ForgetAll drops everything from the DRAM cache. It gives how many objects there were.
func ForgetAll() int { return int(host.ForgetAll()) }

// Keep says whether what the object reaches leaves a tier only when an operation could not run
// otherwise. Errors: [berth.ErrInvalidArgument] for the disk.
func Keep(target *berth.Object, tier berth.Tier, keep bool) error {
	_, err := take(host.Keep(raw(target), uint8(tier), keep))
	return err
}

// KeepNothing ends every [Keep], whoever asked for it.
func KeepNothing() { host.KeepNothing() }

// MakeFree has what no running operation uses leave a tier until this many bytes are free there, as far
// as it can. It gives the bytes that left. Errors: [berth.ErrInvalidArgument] for the disk.
func MakeFree(tier berth.Tier, bytes uint64) (uint64, error) {
	return take(host.MakeFree(uint8(tier), bytes))
}

// ClearResults forgets the results of nodes that were kept for later runs.
func ClearResults() { host.ClearResults() }
