// The rules that keep the log safe, so that the simulation can break one at a time and show that it finds the effect.
// The program uses the default, in which all hold.
#pragma once

namespace ordem::cluster {

struct protocol_rules {
  // A record is live only if it has the hash of the last live record.
  bool checks_chain = true;
  // The owner answers a linearizable read only under its lease, or after a record that was appended later.
  bool checks_lease = true;
  // A lease begins when the record was first sent, not when it was acknowledged.
  bool leases_from_first_sending = true;
  // The owner's lease ends before it appends RELEASE.
  bool ends_lease_at_release = true;
  // A record is applied after its acknowledgement.
  bool applies_after_acknowledgement = true;
  // A standby applies a record only when the owner shows it.
  bool follows_owner = true;
  // A new owner waits until no lease of the old epoch can be valid.
  bool waits_for_old_lease = true;
  // A record without an answer is published again as it was, never another one in its place.
  bool repeats_same_content = true;
  // An acknowledgement counts when all records before it are acknowledged.
  bool acknowledges_in_order = true;
  // An acknowledgement of an earlier sending counts only if the record was expected at the same sequence then.
  bool tells_attempts_apart = true;
  // A claim expects the sequence up to which the node has read, which is the last one of which it has heard.
  bool claims_at_read_tail = true;
  // A record of another node that follows the same record ends the ownership.
  bool yields_to_live_records = true;
};

}  // namespace ordem::cluster
