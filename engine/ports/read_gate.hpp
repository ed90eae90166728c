// Decides when a read of orders may start so that it is linearizable: it then sees everything that was acknowledged
// before it was sent, by whichever node of the cluster. Asked by the edge before each such read; a server without a
// cluster has no gate, as all its reads are linearizable. Implemented by cluster/forwarding/read_index_gate.hpp.
#pragma once

#include <functional>

namespace ordem {

class read_gate {
 public:
  virtual ~read_gate() = default;
  // Returns whether a read that starts now is linearizable. Thread-safe; must not block.
  virtual bool is_open() const noexcept = 0;
  // Calls `done` exactly once: with true once a read that starts then is linearizable, or with false if that takes too
  // long (about 2 s) or too many reads wait. Thread-safe; must not block. `done` is called on any thread, perhaps
  // before wait() returns; it must not block, nor call the gate.
  virtual void wait(std::function<void(bool opened)> done) = 0;
};

}  // namespace ordem
