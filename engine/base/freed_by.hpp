// Lets std::unique_ptr own what a C library has made.
#pragma once

namespace ordem {

// Frees by a function of the library: std::unique_ptr<BIGNUM, freed_by<BN_free>>.
template <auto Free>
struct freed_by {
  template <class What>
  void operator()(What* what) const noexcept {
    Free(what);
  }
};

}  // namespace ordem
