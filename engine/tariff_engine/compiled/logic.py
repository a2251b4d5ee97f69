"""Three-valued evaluation of condition trees on bits: simplify by what is static, decide by what is known, and say what decided."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from tariff_engine.compiled.form import ALL, ANY, NOT, SUBJECT, Atom, Node
from tariff_engine.evaluate.derivation import MET, Kind, Reason
from tariff_engine.evaluate.words import nearness

# A decision: the truth (None is unknown), the dynamic bits that make it unknown, and the parts that SUBJECT nodes found covered.
Decision = tuple[bool | None, int, int]
SubjectTest = Callable[[Node], int]  # the mask of parts covered; negative where the subject is not met

TRUE = Node(ALL)


def simplify(node: Node, true: int) -> Node | bool:
    """Settle the static bits of a tree (`true` holds those that are set); return what is left to decide, or the truth."""
    return _left(node, true, 0, 0)


def settle(node: Node, true: int, false: int) -> Node | bool:
    """Settle the dynamic bits of a simplified tree that are known to be true or false; what is left decides as the whole tree would."""
    return _left(node, 0, true, false)


def _left(node: Node, static: int, true: int, false: int) -> Node | bool:
    """Return what is left of a tree: the tree itself where that is all of it, for most have nothing to settle."""
    if node.kind == ALL:
        if node.static_true & ~static or node.static_false & static or node.need_true & false or node.need_false & true:
            return False
        return _all_left(node, static, true, false)
    if node.kind == ANY:
        return _any_left(node, static, true, false)
    if node.kind == NOT:
        child = _left(node.children[0], static, true, false)
        return not child if isinstance(child, bool) else Node(NOT, children=(child,))
    return node


def _all_left(node: Node, static: int, true: int, false: int) -> Node | bool:
    left, same = [], not node.atoms
    for child in node.children:
        found = _left(child, static, true, false)
        if found is False:
            return False
        same = same and found is child
        if found is not True:
            left.append(found)
    need_true, need_false = node.need_true & ~true, node.need_false & ~false
    if same and need_true == node.need_true and need_false == node.need_false:
        return node if left or need_true or need_false else True
    return Node(ALL, need_true=need_true, need_false=need_false, children=tuple(left)) if left or need_true or need_false else True


def _any_left(node: Node, static: int, true: int, false: int) -> Node | bool:
    left, met = [], False
    for child in node.children:
        found = _left(child, static, true, false)
        if found is True:
            met = True
            left.append(TRUE)
        elif found is not False:
            left.append(found)
    if met and not any(_has_subject(child) for child in left):
        return True
    return Node(ANY, children=tuple(left)) if left else False


def _has_subject(node: Node) -> bool:
    return node.kind == SUBJECT or any(_has_subject(child) for child in node.children)


def ruled_out(node: Node, known: int, true: int) -> bool:
    """Whether some static bits alone make a tree false, whatever the others are: those of a mask (`known`), of which `true` holds the set ones."""
    if node.kind == ALL:
        if node.static_true & known & ~true or node.static_false & true:
            return True
        return any(ruled_out(child, known, true) for child in node.children)
    if node.kind == ANY:
        return all(ruled_out(child, known, true) for child in node.children)
    return node.kind == NOT and _settled(node.children[0], known, true)


def _settled(node: Node, known: int, true: int) -> bool:
    """Whether some static bits alone make a tree true."""
    if node.kind == ALL:
        open_ = node.need_true or node.need_false or node.static_true & ~true or node.static_false & (true | ~known)
        return not open_ and all(_settled(child, known, true) for child in node.children)
    if node.kind == ANY:
        return any(_settled(child, known, true) for child in node.children)
    return node.kind == NOT and ruled_out(node.children[0], known, true)


def dynamic_bits(node: Node) -> int:
    """Return every dynamic bit that a tree looks at."""
    found = node.need_true | node.need_false
    for child in node.children:
        found |= dynamic_bits(child)
    return found


def decide(node: Node, true: int, false: int, subject: SubjectTest) -> Decision:
    """Decide a simplified tree by the bits known to be true and known to be false."""
    if node.kind == ALL:
        if node.need_true & false or node.need_false & true:
            return False, 0, 0
        unknown, covers, open_ = (node.need_true & ~true) | (node.need_false & ~false), 0, False
        for child in node.children:
            truth, bits, parts = decide(child, true, false, subject)
            if truth is False:
                return False, 0, 0
            open_ = open_ or truth is None
            unknown |= bits
            covers |= parts
        return (None, unknown, covers) if unknown or open_ else (True, 0, covers)
    if node.kind == ANY:
        unknown, covers, good, open_ = 0, 0, False, False
        for child in node.children:
            truth, bits, parts = decide(child, true, false, subject)
            if truth:
                good, covers = True, covers | parts
            elif truth is None:
                open_, unknown = True, unknown | bits
        return (True, 0, covers) if good else (None, unknown, 0) if open_ else (False, 0, 0)
    if node.kind == NOT:
        truth, bits, _ = decide(node.children[0], true, false, subject)
        return (None, bits, 0) if truth is None else (not truth, 0, 0)
    covered = subject(node)
    return (False, 0, 0) if covered < 0 else (True, 0, covered)


# ---------------------------------------------------------------- reasons
class Explainer:
    """Walks a whole tree and says which condition decided, reading the tests in the order in which they are written.

    `true` and `false` are the dynamic bits as decided, assumptions included; `assumed` marks the bits that were taken, not stated.
    """

    def __init__(
        self, static: int, true: int, false: int, assumed: int, seen: Callable[[str, str], str], subject: Callable[[Node], str | None]
    ) -> None:
        """Take the bits, the words for values seen, and the heading that a SUBJECT met (None: none of those named)."""
        self.static, self.true, self.false, self.assumed, self.seen, self.subject = static, true, false, assumed, seen, subject

    def walk(self, node: Node) -> tuple[bool | None, Reason]:
        """Return the truth of a tree and its reason."""
        if node.kind == NOT:
            truth, reason = self.walk(node.children[0])
            return (None, reason) if truth is None else (not truth, Reason(Kind.BARRED, of=reason))
        if node.kind == SUBJECT:
            met = self.subject(node)
            words = "owed" if node.owed else "applies"
            return met is not None, Reason(Kind.SUBJECT, words, "none of the named duties" if met is None else met)
        if node.kind == ANY:
            return self._any([self.walk(child) for child in node.children])
        return self._all(node)

    @staticmethod
    def _any(found: list[tuple[bool | None, Reason]]) -> tuple[bool | None, Reason]:
        good = next((reason for truth, reason in found if truth), None)
        if good is not None:
            return True, good
        open_ = next((reason for truth, reason in found if truth is None), None)
        if open_ is not None:
            return None, open_
        return False, min((reason for _, reason in found), key=nearness)

    def _all(self, node: Node) -> tuple[bool | None, Reason]:
        met, open_ = MET, list[Reason]()
        for truth, reason in chain((self._atom(atom) for atom in node.atoms), (self.walk(child) for child in node.children)):
            if truth is False:
                return False, reason
            if truth is None:
                open_.append(reason)
            met = reason if reason is not MET else met
        return (None, open_[0]) if open_ else (True, met)

    def _atom(self, atom: Atom) -> tuple[bool | None, Reason]:
        facts = (atom.fact,) if atom.fact else ()
        if atom.static:
            holds = bool(self.static >> atom.bit & 1) == atom.want
            told = not holds or (atom.kind == Kind.ENTERED and atom.wanted.startswith("entered before"))
            return holds, Reason(Kind(atom.kind), atom.wanted, self.seen(atom.kind, atom.fact), facts) if told else MET
        set_, unset = bool(self.true >> atom.bit & 1), bool(self.false >> atom.bit & 1)
        if not set_ and not unset:
            return None, Reason(Kind(atom.kind), atom.wanted, "", facts, facts)
        assumed = bool(self.assumed >> atom.bit & 1)
        seen = "" if assumed else self.seen(atom.kind, atom.fact)
        return set_ == atom.want, Reason(Kind(atom.kind), atom.wanted, seen, facts, facts if assumed else ())
