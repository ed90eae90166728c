// What a client's names name: GUIDs and keys of captures are those of a tenant, so two tenants may use the same ones.
// Values; any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/model/capture.hpp"
#include "engine/model/ids.hpp"

namespace ordem {

template <class Name>
struct tenant_key {
  std::string tenant;
  Name name;
  friend bool operator==(const tenant_key&, const tenant_key&) = default;
};

using message_key = tenant_key<guid>;
using tenant_capture_key = tenant_key<capture_key>;

// A key to look for, without a copy. Must not outlive what it was made of.
template <class Name>
struct tenant_key_view {
  std::string_view tenant;
  const Name& name;
};

// Let an unordered container find a tenant_key by a tenant_key_view.
struct tenant_key_hash {
  using is_transparent = void;
  template <class Key>
  std::size_t operator()(const Key& key) const noexcept {
    const std::size_t of_name = std::hash<std::string_view>{}(key.name.view());
    return key.tenant.empty() ? of_name : of_name ^ std::rotl(std::hash<std::string_view>{}(key.tenant), 1);
  }
};
struct tenant_key_equal {
  using is_transparent = void;
  template <class One, class Other>
  bool operator()(const One& a, const Other& b) const noexcept {
    return a.name == b.name && a.tenant == b.tenant;
  }
};

template <class Name, class Value>
using tenant_map = std::unordered_map<tenant_key<Name>, Value, tenant_key_hash, tenant_key_equal>;

}  // namespace ordem
