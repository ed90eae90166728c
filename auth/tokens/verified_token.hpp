// The result of verifying a token. A value; any thread.
#pragma once

#include "auth/identity.hpp"
#include "engine/model/time.hpp"

namespace ordem::auth {

struct verified_token {
  shared_identity identity;
  // The token counts from here on, and before the end; the leeway is in both.
  timestamp from;
  timestamp until;
};

}  // namespace ordem::auth
