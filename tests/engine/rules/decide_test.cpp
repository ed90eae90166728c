#include "engine/rules/decide.hpp"

#include <catch2/catch.hpp>

#include "engine/model/order_id_generator.hpp"
#include "tests/engine/orders.hpp"
#include "tests/support_cpp/origins.hpp"

namespace ordem {
namespace {

using namespace testing;

constexpr version current_version{3};
constexpr timestamp later = sample_time + std::chrono::hours{1};

enum class fate { accepted, not_found, stale, not_allowed, closed, invalid };

fate fate_of(const decision& made) {
  if (std::holds_alternative<event>(made)) return fate::accepted;
  if (const auto* refused = std::get_if<refusal>(&made)) {
    if (std::holds_alternative<order_not_found>(*refused)) return fate::not_found;
    REQUIRE(std::holds_alternative<invalid_content>(*refused));
    return fate::invalid;
  }
  switch (std::get<outcome>(made).verdict) {
    case verdict::stale_version: return fate::stale;
    case verdict::status_not_allowed: return fate::not_allowed;
    case verdict::order_closed: return fate::closed;
    default: FAIL("an accepted message gives an event, not an outcome");
  }
  return {};
}

// Decides on the order, or on none, what a message made against that version asks for.
decision decided(const order* current, command what, version expected_version = current_version) {
  return decide(current, change_message(std::move(what), {expected_version, false}), order_id_of(1), later);
}

fate fate_at(order_status status, command what, version expected_version = current_version) {
  const order current = contract_order(status, current_version);
  return fate_of(decided(&current, std::move(what), expected_version));
}

merge_content merge_of_items(std::vector<order_item> items) {
  merge_content patch;
  patch.items = std::move(items);
  return patch;
}

// What a merge patch makes of the sample order's content.
order_content merged(merge_content patch) {
  const order current = contract_order(order_status::fresh, current_version);
  return std::get<content_changed>(std::get<event>(decided(&current, std::move(patch))).change).content;
}

std::vector<command> valid_changes() {
  return {replace_content{contract_content()}, merge_content{}, change_status{order_status::confirmed}};
}

std::vector<command> invalid_changes() {
  return {replace_content{content_of_too_high_total()}, merge_of_items(content_of_too_high_total().items)};
}

// --- tenants and actors ---

TEST_CASE("a created order has the origin of its message") {
  const auto made = decide(nullptr, sent_by(shop_till, creation(guid_of("create"))), order_id_of(7), later);
  CHECK(apply(nullptr, std::get<event>(made)).origin == shop_till);
}

TEST_CASE("a change keeps the order's tenant, and the new version has the actor of its message") {
  order current = contract_order(order_status::fresh, current_version);
  current.origin = shop_till;
  for (const command& what : valid_changes()) {
    const auto made = decide(&current, sent_by(shop_office, change_message(what, {current_version, false})), {}, later);
    const order after = apply(&current, std::get<event>(made));
    CHECK(after.origin == shop_office);
    CHECK(apply(&current, event_of(accepted_outcome(change_message(what, {}), after).verdict, after)) == after);
  }
}

TEST_CASE("no event changes the tenant of an order") {
  order current = contract_order(order_status::fresh, current_version);
  current.origin = shop_till;
  CHECK(apply(&current, {current_version.next(), later, status_changed{order_status::confirmed}, stall_till}).origin ==
        origin{"shop", "till-7"});
}

TEST_CASE("an order of another tenant is not found, whatever else is wrong with the change") {
  order current = contract_order(order_status::fresh, current_version);
  for (const auto& [owner, sender] :
       {std::pair(shop_till, stall_till), std::pair(shop_till, anonymous), std::pair(anonymous, shop_till),
        std::pair(shop_till, origin{"shop2", "till-7"})}) {
    CAPTURE(owner, sender);
    current.origin = owner;
    for (const version expected_version : {version{1}, current_version}) {
      for (const auto& changes : {valid_changes(), invalid_changes()}) {
        for (const command& what : changes) {
          const message asked = sent_by(sender, change_message(what, {expected_version, false}));
          CHECK(fate_of(decide(&current, asked, {}, later)) == fate::not_found);
        }
      }
    }
  }
}

// --- who wins ---

TEST_CASE("a create is accepted as version 1 with the fresh id at the time of the decision") {
  const auto made =
      std::get<event>(decide(nullptr, creation(guid_of("create"), contract_content()), order_id_of(7), later));
  CHECK(made.version == version{1});
  CHECK(made.at == later);
  const auto& created = std::get<order_created>(made.change);
  CHECK(created.id == order_id_of(7));
  CHECK(created.content == contract_content());
}

TEST_CASE("an order whose id is ahead of the clock is created at the time in its id") {
  order_id_sequence sequence;
  order_id_generator ids(1, sequence);
  const order_id ahead = ids.next(sample_time + milliseconds{7}, {});
  const auto made = std::get<event>(decide(nullptr, creation(guid_of("k")), ahead, sample_time));
  CHECK(made.at == sample_time + milliseconds{7});
  CHECK(apply(nullptr, made).created_at == time_in(ahead));
}

TEST_CASE("a change of an order that does not exist is not found, whatever else is wrong with it") {
  for (const version expected_version : {version{1}, current_version}) {
    for (const command& what : valid_changes())
      CHECK(fate_of(decided(nullptr, what, expected_version)) == fate::not_found);
    for (const command& what : invalid_changes())
      CHECK(fate_of(decided(nullptr, what, expected_version)) == fate::not_found);
  }
}

TEST_CASE("a change made against another version is stale, whatever the status and the content") {
  for (const version expected_version : {version{1}, version{2}, version{4}, version{1'000'000}}) {
    for (const order_status status : every_status) {
      CAPTURE(expected_version, status);
      for (const command& what : valid_changes()) CHECK(fate_at(status, what, expected_version) == fate::stale);
      for (const command& what : invalid_changes()) CHECK(fate_at(status, what, expected_version) == fate::stale);
    }
  }
}

TEST_CASE("content changes while an order is new or confirmed; a closed order wins over an invalid content") {
  struct row {
    order_status status;
    fate valid;
    fate invalid;
  };
  constexpr row rows[] = {
      {order_status::fresh, fate::accepted, fate::invalid},  {order_status::confirmed, fate::accepted, fate::invalid},
      {order_status::shipped, fate::closed, fate::closed},   {order_status::delivered, fate::closed, fate::closed},
      {order_status::cancelled, fate::closed, fate::closed},
  };
  for (const auto& [status, valid, invalid] : rows) {
    CAPTURE(status);
    CHECK(fate_at(status, replace_content{contract_content()}) == valid);
    CHECK(fate_at(status, merge_content{}) == valid);
    for (const command& what : invalid_changes()) CHECK(fate_at(status, what) == invalid);
  }
}

TEST_CASE("a status changes as it may, and every other change is not allowed") {
  constexpr auto yes = fate::accepted;
  constexpr auto no = fate::not_allowed;
  // from new, confirmed, shipped, delivered, cancelled (down) to the same (across)
  constexpr fate rows[5][5] = {
      {no, yes, no, no, yes},  //
      {no, no, yes, no, yes},  //
      {no, no, no, yes, no},   //
      {no, no, no, no, no},    //
      {no, no, no, no, no},
  };
  for (std::size_t from = 0; from < 5; ++from) {
    for (std::size_t to = 0; to < 5; ++to) {
      CAPTURE(every_status[from], every_status[to]);
      CHECK(fate_at(every_status[from], change_status{every_status[to]}) == rows[from][to]);
    }
  }
}

// --- what a decision says ---

TEST_CASE("an accepted change is an event of the next version at the time of the decision") {
  const order current = contract_order(order_status::fresh, current_version);
  for (const command& what : valid_changes()) {
    const auto made = std::get<event>(decided(&current, what));
    CHECK(made.version == version{4});
    CHECK(made.at == later);
  }
}

TEST_CASE("a clock that stepped back does not make an event older than the order") {
  order current = contract_order(order_status::fresh, current_version);
  current.updated_at = later + milliseconds{5};
  for (const command& what : valid_changes()) CHECK(std::get<event>(decided(&current, what)).at == current.updated_at);
}

TEST_CASE("a rejection names the order as it is and how the version was supplied") {
  struct row {
    verdict expected;
    order_status status;
    command what;
    version expected_version;
    std::optional<order_status> wanted;
  };
  const row rows[] = {
      {verdict::stale_version, order_status::confirmed, merge_content{}, {2}, std::nullopt},
      {verdict::stale_version, order_status::fresh, change_status{order_status::shipped}, {2}, std::nullopt},
      {verdict::order_closed, order_status::shipped, replace_content{contract_content()}, current_version,
       std::nullopt},
      {verdict::order_closed, order_status::cancelled, merge_content{}, current_version, std::nullopt},
      {verdict::status_not_allowed, order_status::fresh, change_status{order_status::shipped}, current_version,
       order_status::shipped},
  };
  for (const bool by_if_match : {false, true}) {
    for (const auto& [expected, status, what, expected_version, wanted] : rows) {
      CAPTURE(expected, status, by_if_match);
      const order current = contract_order(status, current_version);
      const ordem::expected_version supplied{expected_version, by_if_match};
      const auto said = std::get<outcome>(decide(&current, change_message(what, supplied), order_id_of(1), later));
      CHECK(said == outcome{expected, current.id, current_version, status, wanted, supplied});
    }
  }
}

TEST_CASE("a content that a merge makes invalid is refused with all that is wrong") {
  const order current = contract_order(order_status::fresh, current_version);
  merge_content patch = merge_of_items({{"", 0, cents(1)}});
  patch.customer_id = "";
  const auto refused = std::get<refusal>(decided(&current, patch));
  CHECK(std::get<invalid_content>(refused).violations ==
        std::vector<violation>{{"/customer_id", "must have 1 to 128 characters"},
                               {"/items/0/sku", "must have 1 to 64 characters"},
                               {"/items/0/quantity", "must be an integer from 1 to 1000000"}});
}

TEST_CASE("a merge whose attributes are too large only together is refused") {
  order current = contract_order(order_status::fresh, current_version);
  current.content.attributes = json_object{{"a", text(std::string(10'000, 'a'))}};
  merge_content patch;
  patch.attributes = json_object{{"b", text(std::string(10'000, 'b'))}};
  const auto refused = std::get<refusal>(decided(&current, patch));
  CHECK(std::get<invalid_content>(refused).violations ==
        std::vector<violation>{{"/attributes", "must not exceed 16384 bytes as compact JSON"}});
}

// --- what a merge makes ---

TEST_CASE("an empty merge leaves the content as it is") {
  CHECK(merged({}) == contract_content());
}

TEST_CASE("a merge replaces the members that it names and keeps the others") {
  order_content expected = contract_content();
  merge_content patch;
  SECTION("customer") {
    patch.customer_id = "c-2";
    expected.customer_id = "c-2";
  }
  SECTION("currency") {
    patch.currency = currency_code{'U', 'S', 'D'};
    expected.currency = {'U', 'S', 'D'};
  }
  SECTION("items, whole") {
    patch.items = std::vector<order_item>{{"B", 1, cents(5)}, {"C", 2, cents(0)}};
    expected.items = *patch.items;
  }
  SECTION("attributes, merged") {
    patch.attributes = json_object{{"gift", json_value{true}}};
    expected.attributes = json_object{{"channel", text("web")}, {"gift", json_value{true}}};
  }
  SECTION("attributes, emptied") {
    patch.attributes = json_object{{"channel", null()}};
    expected.attributes = json_object{};
  }
  SECTION("attributes, removed") {
    patch.attributes = merge_content::remove_attributes{};
    expected.attributes.reset();
  }
  SECTION("external id, given") {
    patch.external_id = "PO-1";
    expected.external_id = "PO-1";
  }
  CHECK(merged(patch) == expected);
}

TEST_CASE("a merge keeps or removes the external id that an order has") {
  order current = contract_order(order_status::fresh, current_version);
  current.content.external_id = "PO-1";
  merge_content patch;
  const auto external_id_after = [&] {
    return std::get<content_changed>(std::get<event>(decided(&current, patch)).change).content.external_id;
  };
  CHECK(external_id_after() == "PO-1");
  patch.external_id = merge_content::remove_external_id{};
  CHECK(external_id_after() == std::nullopt);
  patch.external_id = "PO-2";
  CHECK(external_id_after() == "PO-2");
}

TEST_CASE("a merge gives attributes to an order that had none") {
  order current = contract_order(order_status::fresh, current_version);
  current.content.attributes.reset();
  merge_content patch;
  patch.attributes = json_object{{"a", object({{"b", null()}})}, {"c", null()}};
  const auto made = std::get<event>(decided(&current, patch));
  CHECK(std::get<content_changed>(made.change).content.attributes == json_object{{"a", object({})}});
}

// --- apply and its counterparts ---

TEST_CASE("apply makes a new order of order_created") {
  order expected = contract_order();
  CHECK(apply(nullptr, {version{1}, sample_time, order_created{contract_id(), contract_content()}}) == expected);
}

TEST_CASE("apply changes the content, the total, the version and the time of content_changed, and no more") {
  const order before = contract_order(order_status::confirmed, current_version);
  order_content content = contract_content();
  content.customer_id = "c-2";
  content.items = {{"B", 3, cents(100)}, {"C", 1, cents(1)}};
  order expected = before;
  expected.version = {4};
  expected.content = content;
  expected.total = cents(301);
  expected.updated_at = later;
  CHECK(apply(&before, {version{4}, later, content_changed{content}}) == expected);
}

TEST_CASE("a version has merged_from of its own event, and not that of the version before") {
  order before = contract_order(order_status::confirmed, current_version);
  before.merged_from = version{1};
  event change{version{4}, later, content_changed{contract_content()}};
  CHECK(apply(&before, change).merged_from == std::nullopt);
  CHECK(apply(&before, {version{4}, later, status_changed{order_status::shipped}}).merged_from == std::nullopt);
  change.merged_from = version{2};
  const order merged = apply(&before, change);
  CHECK(merged.merged_from == version{2});
  CHECK(apply(&before, event_of(verdict::content_changed, merged)) == merged);
}

TEST_CASE("apply changes the status, the version and the time of status_changed, and no more") {
  const order before = contract_order(order_status::confirmed, current_version);
  order expected = before;
  expected.version = {4};
  expected.status = order_status::shipped;
  expected.updated_at = later;
  CHECK(apply(&before, {version{4}, later, status_changed{order_status::shipped}}) == expected);
}

TEST_CASE("the outcome of an accepted message names the order as it is after it") {
  struct row {
    message asked;
    verdict expected;
  };
  const ordem::expected_version supplied{{2}, true};
  const row rows[] = {
      {creation(guid_of("create"), contract_content()), verdict::order_created},
      {change_message(replace_content{contract_content()}, supplied), verdict::content_changed},
      {change_message(merge_content{}, supplied), verdict::content_changed},
      {change_message(change_status{order_status::shipped}, supplied), verdict::status_changed},
  };
  const order after = contract_order(order_status::shipped, current_version);
  for (const auto& [asked, expected] : rows) {
    CAPTURE(expected);
    CHECK(accepted_outcome(asked, after) ==
          outcome{expected, after.id, current_version, order_status::shipped, std::nullopt, asked.expected_version});
  }
}

TEST_CASE("only the first three verdicts are of accepted messages") {
  CHECK(is_accepted(verdict::order_created));
  CHECK(is_accepted(verdict::content_changed));
  CHECK(is_accepted(verdict::status_changed));
  CHECK_FALSE(is_accepted(verdict::stale_version));
  CHECK_FALSE(is_accepted(verdict::status_not_allowed));
  CHECK_FALSE(is_accepted(verdict::order_closed));
}

TEST_CASE("a command is kept beside its outcome unless the order's versions tell it") {
  const command plain[] = {create_order{contract_content()}, replace_content{contract_content()},
                           change_status{order_status::confirmed}};
  const auto is_kept = [](verdict decided, const command& what) {
    outcome result;
    result.verdict = decided;
    return must_be_kept(result, what);
  };
  for (const verdict accepted : {verdict::order_created, verdict::content_changed, verdict::status_changed}) {
    for (const command& what : plain) CHECK_FALSE(is_kept(accepted, what));
    CHECK(is_kept(accepted, merge_content{}));
  }
  for (const verdict rejected : {verdict::stale_version, verdict::status_not_allowed, verdict::order_closed}) {
    for (const command& what : plain) CHECK(is_kept(rejected, what));
    CHECK(is_kept(rejected, merge_content{}));
  }
}

TEST_CASE("the event of an accepted outcome makes the same order again") {
  const order created = contract_order();
  CHECK(apply(nullptr, event_of(verdict::order_created, created)) == created);

  const order before = contract_order(order_status::fresh, current_version);
  order changed = before;
  changed.version = {4};
  changed.updated_at = later;
  SECTION("content") {
    changed.content.items[0].quantity = 1;
    changed.total = cents(1999);
    CHECK(apply(&before, event_of(verdict::content_changed, changed)) == changed);
  }
  SECTION("status") {
    changed.status = order_status::cancelled;
    CHECK(apply(&before, event_of(verdict::status_changed, changed)) == changed);
  }
}

// --- merges ---

message merging(command what, version expected) {
  return change_message(std::move(what), {expected, false, true});
}

// Versions 2 and 3 of an order, of which the third changed the currency.
struct changed_order {
  order base = contract_order(order_status::fresh, {2});
  order current = base;
  changed_order() {
    current.version = {3};
    current.content.currency = {'U', 'S', 'D'};
  }
};

TEST_CASE("an update against an old version is merged if it may be and nothing clashes") {
  const changed_order of;
  merge_content patch;
  patch.customer_id = "c-2";
  order_content replaced = of.base.content;
  replaced.customer_id = "c-2";
  order_content both = of.current.content;
  both.customer_id = "c-2";
  for (const command& what : {command{patch}, command{replace_content{replaced}}}) {
    const auto made = decide(&of.current, merging(what, {2}), order_id_of(1), later, &of.base);
    REQUIRE(std::holds_alternative<event>(made));
    const order after = apply(&of.current, std::get<event>(made));
    CHECK(after.version == version{4});
    CHECK(after.merged_from == version{2});
    CHECK(after.content == both);
    CHECK(apply(&of.current, event_of(verdict::content_changed, after)) == after);

    const auto unasked = decide(&of.current, change_message(what, {{2}, false}), order_id_of(1), later, &of.base);
    REQUIRE(std::holds_alternative<outcome>(unasked));
    CHECK(std::get<outcome>(unasked).verdict == verdict::stale_version);
  }
}

TEST_CASE("a later version of a merged one is no merge") {
  order merged = contract_order(order_status::fresh, current_version);
  merged.merged_from = version{1};
  const auto confirmed = decided(&merged, change_status{order_status::confirmed});
  CHECK(apply(&merged, std::get<event>(confirmed)).merged_from == std::nullopt);
  const auto replaced = decided(&merged, replace_content{contract_content()});
  CHECK(apply(&merged, std::get<event>(replaced)).merged_from == std::nullopt);
}

TEST_CASE(
    "an update that may be merged is rejected if it clashes, without a base, on a closed order and of the future") {
  changed_order of;
  merge_content patch;
  patch.currency = currency_code{'C', 'H', 'F'};
  const auto verdict_of = [&](version expected, const order* base) {
    const auto made = decide(&of.current, merging(patch, expected), order_id_of(1), later, base);
    return std::get<outcome>(made).verdict;
  };
  CHECK(verdict_of({2}, &of.base) == verdict::stale_version);
  CHECK(verdict_of({9}, nullptr) == verdict::stale_version);
  patch.currency.reset();
  CHECK(verdict_of({2}, nullptr) == verdict::stale_version);
  of.current.status = order_status::shipped;
  CHECK(verdict_of({2}, &of.base) == verdict::order_closed);
}

TEST_CASE("a merge is refused if its result is not a valid content") {
  changed_order of;
  of.base.content.items = {{"A-1", 1, cents(1)}, {"B-2", 1, cents(1)}};
  of.current.content.items = {{"A-1", 1, cents(1)}};
  merge_content patch;
  patch.items = {{"B-2", 1, cents(1)}};
  const auto made = decide(&of.current, merging(patch, {2}), order_id_of(1), later, &of.base);
  REQUIRE(std::holds_alternative<refusal>(made));
  CHECK(std::holds_alternative<invalid_content>(std::get<refusal>(made)));
}

TEST_CASE("only an update that is behind an open order of its tenant needs a base") {
  const changed_order of;
  const message behind = merging(merge_content{}, {2});
  CHECK(merge_base(&of.current, behind) == version{2});
  CHECK(merge_base(&of.current, merging(merge_content{}, {3})) == std::nullopt);
  CHECK(merge_base(&of.current, merging(merge_content{}, {4})) == std::nullopt);
  CHECK(merge_base(&of.current, change_message(merge_content{}, {{2}, false})) == std::nullopt);
  CHECK(merge_base(&of.current, creation(guid_of("g"))) == std::nullopt);
  CHECK(merge_base(nullptr, behind) == std::nullopt);
  order closed = of.current;
  closed.status = order_status::cancelled;
  CHECK(merge_base(&closed, behind) == std::nullopt);
  order foreign = of.current;
  foreign.origin.tenant = "other";
  CHECK(merge_base(&foreign, behind) == std::nullopt);
}

TEST_CASE("the command of an update that may be merged is kept, whatever came of it") {
  outcome result;
  result.verdict = verdict::content_changed;
  result.expected_version = ordem::expected_version{{2}, false, true};
  CHECK(must_be_kept(result, replace_content{contract_content()}));
}

}  // namespace
}  // namespace ordem
