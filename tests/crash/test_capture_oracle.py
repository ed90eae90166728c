"""The oracle of captures detects every kind of error, and accepts every possible history."""

import itertools

import pytest

from support.capture_oracle import ABSENT, Absent, Allocated, Answer, CaptureOracle, Completed, Request

KEY = "key"
HELD = Allocated(may_lapse=False)


class Story:
    """Requests on one key, by short names."""

    def __init__(self):
        self.oracle = CaptureOracle()
        self._numbers = itertools.count()

    def send(self, action, response=None, **more):
        """Starts a request that stays open."""
        request = Request(next(self._numbers), action, KEY, response, **more)
        self.oracle.sending(request)
        return request

    def answer(self, request, status, response=None):
        self.oracle.answered(request, Answer(status, response))

    def do(self, action, status, response=None, answered_with=None, **more):
        self.answer(self.send(action, response, **more), status, answered_with)

    def kill(self):
        return self.oracle.killed()

    def allocated(self, **more):
        self.do("put", 202, **more)
        return self

    def completed(self, response="r"):
        self.allocated().do("post", 200, response)
        return self

    def assert_green(self):
        assert self.oracle.violations == []

    def assert_red(self, *words):
        assert any(all(word in problem for word in words) for problem in self.oracle.violations), self.oracle.violations

    def states(self):
        return self.oracle.possible_states(KEY)


@pytest.fixture
def story():
    return Story()


def test_healthy_history_is_green(story):
    """Breaks if the oracle reports a correct server: all the tests below would then prove nothing."""
    story.do("post", 403, "early")
    story.do("delete", 404)
    story.allocated().do("put", 409)
    story.do("delete", 204)
    story.allocated().do("post", 200, "r")
    story.do("put", 200, answered_with="r")
    story.do("post", 403, "late")
    story.do("delete", 403)
    assert story.kill() == []
    story.do("put", 200, answered_with="r")
    story.assert_green()
    assert story.oracle.recorded_count == 4


def test_second_allocation(story):
    """Breaks if the oracle accepts that two clients may execute."""
    story.allocated().do("put", 202)
    story.assert_red("202")


def test_two_allocations_at_the_same_moment(story):
    """Breaks if the oracle gives two requests that were open at the same moment no order."""
    first, second = story.send("put"), story.send("put")
    story.answer(first, 202)
    story.answer(second, 202)
    story.assert_red("202")


def test_either_of_two_may_be_first(story):
    """Breaks if the oracle treats the order of the responses, or of the requests, as that of the decisions."""
    first, second = story.send("put"), story.send("put")
    story.answer(first, 409)
    story.answer(second, 202)
    story.assert_green()
    assert story.states() == {HELD}


def test_nobody_is_first(story):
    """Breaks if the oracle accepts that all clients are refused although none has permission to execute."""
    first, second = story.send("put"), story.send("put")
    story.answer(first, 409)
    story.answer(second, 409)
    story.assert_red("409")


def test_two_records(story):
    """Breaks if the oracle accepts that two responses are recorded."""
    story.completed().do("post", 200, "other")
    story.assert_red("200")


def test_changed_record(story):
    """Breaks if the oracle checks only that there is a record."""
    story.completed("r").do("put", 200, answered_with="another")
    story.assert_red("another")


def test_record_of_the_one_who_was_refused(story):
    """Breaks if the oracle does not remember which of two clients had its response recorded."""
    story.allocated()
    first, second = story.send("post", "first"), story.send("post", "second")
    story.answer(first, 403)
    story.answer(second, 200)
    story.do("put", 200, answered_with="first")
    story.assert_red("first")


def test_answer_before_what_it_speaks_of(story):
    """Breaks if the oracle accepts 200 with a response that cannot have been recorded yet."""
    story.allocated().do("put", 200, answered_with="r")
    story.assert_red("200")


def test_release_twice(story):
    """Breaks if the oracle accepts that one allocation was released twice."""
    story.allocated().do("delete", 204)
    story.do("delete", 204)
    story.assert_red("204")


def test_release_and_record(story):
    """Breaks if the oracle accepts that one allocation was both released and completed."""
    story.allocated()
    first, second = story.send("delete"), story.send("post", "r")
    story.answer(first, 204)
    story.answer(second, 200)
    story.assert_red("200")


def test_refusals_change_nothing(story):
    """Breaks if the oracle accepts the effect of a refused request, or a request that should have been refused."""
    story.allocated()
    story.do("post", 413, "large", refusal=413)
    story.do("put", 409)
    story.assert_green()
    story.do("post", 200, "large", refusal=413)
    story.assert_red("200")


def test_lease_that_ends_before_its_allocation_is_durable(story):
    """Breaks if the oracle reports a server that answers 409 to the caller of such an allocation, which is another caller's by then."""
    story.do("put", 409, may_lapse=True)
    story.do("delete", 204)
    story.assert_green()


def test_lease_that_does_not_end_is_answered(story):
    """Breaks if the oracle accepts a refused allocation of a key that is free."""
    story.do("put", 409)
    story.assert_red("409")


def test_lease_may_end(story):
    """Breaks if the oracle requires that a lease has ended, or that it has not, where both are possible."""
    story.allocated(may_lapse=True).do("put", 409)
    story.do("put", 202, may_lapse=True)
    story.do("put", 202)
    story.assert_green()
    story.do("put", 202)
    story.assert_red("202")


# After a kill.

@pytest.mark.parametrize("status, answered_with", [(202, None), (409, None)])
def test_unanswered_allocation_may_be_there_or_not(story, status, answered_with):
    """Breaks if the oracle requires that an unanswered request had an effect, or that it had none."""
    story.send("put")
    assert story.kill() == [KEY]
    assert story.states() == {ABSENT, HELD}
    story.do("put", status, answered_with=answered_with)
    story.assert_green()
    assert story.states() == {HELD}


def test_unanswered_requests_do_not_happen_later(story):
    """Breaks if the oracle accepts that a request takes effect after its server was killed."""
    story.send("put")
    story.kill()
    story.do("delete", 404)
    story.do("delete", 204)
    story.assert_red("204")


def test_lost_allocation(story):
    """Breaks if the oracle accepts the loss of an acknowledged allocation."""
    story.allocated().kill()
    story.do("put", 202)
    story.assert_red("202")


def test_lost_record(story):
    """Breaks if the oracle accepts that an acknowledged record is lost, or reverted to its allocation."""
    story.completed().kill()
    story.do("put", 409)
    story.assert_red("409")
    other = Story()
    other.completed().kill()
    other.do("put", 202)
    other.assert_red("202")


def test_lost_release(story):
    """Breaks if the oracle accepts that a released allocation is back."""
    story.allocated().do("delete", 204)
    story.kill()
    story.do("put", 409)
    story.assert_red("409")


def test_refusal_that_spoke_of_an_unanswered_record(story):
    """Breaks if the oracle does not conclude from a refusal that the record it refers to exists and is durable."""
    story.allocated()
    story.send("post", "unanswered")
    story.do("post", 403, "refused")
    story.kill()
    assert story.states() == {Completed("unanswered")}
    story.do("put", 409)
    story.assert_red("409")


def test_replay_of_an_unanswered_record(story):
    """Breaks if the oracle does not require that a record which a client has seen is durable."""
    story.allocated()
    story.send("post", "shown")
    story.do("put", 200, answered_with="shown")
    story.kill()
    story.do("put", 409)
    story.assert_red("409")


def test_every_order_of_what_is_unanswered(story):
    """Breaks if the oracle omits a possible decision of unanswered requests."""
    story.allocated()
    for action, response in (("post", "first"), ("post", "second"), ("delete", None), ("put", None)):
        story.send(action, response)
    story.kill()
    assert story.states() == {HELD, ABSENT, Completed("first"), Completed("second")}


def test_answers_after_a_kill_agree_with_each_other(story):
    """Breaks if the oracle checks each response separately: later responses have to be consistent with earlier ones."""
    story.allocated()
    story.send("post", "unanswered")
    story.kill()
    story.do("put", 409)
    story.do("put", 200, answered_with="unanswered")
    story.assert_red("unanswered")


def test_state_that_is_seen(story):
    """Breaks if the oracle accepts an impossible state, or forgets one that was observed."""
    story.send("put")
    story.kill()
    story.oracle.seen(KEY, lambda state: isinstance(state, Allocated), "allocated")
    story.assert_green()
    story.oracle.seen(KEY, lambda state: isinstance(state, Absent), "absent")
    story.assert_red("seen as absent")
    story.do("put", 202)
    story.assert_red("202")
