"""What is left of a condition decides as the whole of it would, and is ruled out early only where it fails in any case."""

from __future__ import annotations

from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from tariff_engine.compiled.form import ALL, ANY, NOT, SUBJECT, Atom, Node
from tariff_engine.compiled.logic import decide, ruled_out, settle, simplify

EVERY = 0b11  # two bits of each kind, of which every assignment is tried
ASSIGNED = range(EVERY + 1)
MASKS = st.sampled_from((0, 0, 0, 1, 2, 3))


def all_of(masks: tuple[int, int, int, int], children: list[Node]) -> Node:
    """Make a node of tests: static bits set and unset, dynamic bits set and unset."""
    static_true, static_false, need_true, need_false = masks
    atom = Atom(static=True, bit=0, want=True, kind="product", wanted="", fact="")
    return Node(ALL, (atom,), static_true, static_false & ~static_true, need_true, need_false & ~need_true, tuple(children))


LEAVES = st.builds(all_of, st.tuples(MASKS, MASKS, MASKS, MASKS), st.just([])) | st.builds(
    lambda ref: Node(SUBJECT, refs=(ref,)), st.integers(0, 1)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(all_of, st.tuples(MASKS, MASKS, MASKS, MASKS), st.lists(inner, max_size=3)),
        st.builds(lambda children: Node(ANY, children=tuple(children)), st.lists(inner, max_size=3)),
        st.builds(lambda child: Node(NOT, children=(child,)), inner),
    ),
    max_leaves=8,
)


def truth(node: Node, static: int, dynamic: int, met: int) -> bool:
    """Say whether a tree holds, by what its nodes mean; `met` holds the provisions that are met."""
    if node.kind == ALL:
        unset = ~static & node.static_true | static & node.static_false | ~dynamic & node.need_true | dynamic & node.need_false
        return not unset and all(truth(child, static, dynamic, met) for child in node.children)
    if node.kind == ANY:
        return any(truth(child, static, dynamic, met) for child in node.children)
    if node.kind == NOT:
        return not truth(node.children[0], static, dynamic, met)
    return bool(met >> node.refs[0] & 1)


def decided(node: Node | bool, true: int, false: int, met: int) -> bool | None:
    """Decide what is left of a tree as the engine does."""

    def subject(one: Node) -> int:
        return 1 if met >> one.refs[0] & 1 else -1

    return node if isinstance(node, bool) else decide(node, true, false, subject)[0]


@given(tree=TREES)
def test_what_is_left_decides_as_the_whole(tree: Node) -> None:
    for static, dynamic, met, stated in product(ASSIGNED, ASSIGNED, ASSIGNED, ASSIGNED):
        whole = truth(tree, static, dynamic, met)
        left = simplify(tree, static)
        assert decided(left, dynamic, EVERY & ~dynamic, met) is whole
        if isinstance(left, bool):
            continue
        assert simplify(left, 0) == left, "something static is left to settle"
        settled = settle(left, dynamic & stated, ~dynamic & stated)
        assert decided(settled, dynamic & ~stated, EVERY & ~dynamic & ~stated, met) is whole
        if stated == EVERY:
            assert isinstance(settled, bool) or _asks(settled), "something stated is left to settle"


@example(tree=Node(NOT, children=(all_of((0b01, 0, 0, 0), []),)))
@example(tree=Node(NOT, children=(all_of((0, 0b10, 0, 0), []),)))
@given(tree=TREES)
def test_a_tree_that_is_ruled_out_fails_whatever_else_is_the_case(tree: Node) -> None:
    for known, static in product(ASSIGNED, ASSIGNED):
        out = ruled_out(tree, known, static & known)
        cases = [
            (static & known | others, dynamic, met) for others, dynamic, met in product(ASSIGNED, ASSIGNED, ASSIGNED) if not others & known
        ]
        assert not (out and any(truth(tree, *case) for case in cases))
        if known == EVERY and not _by_dynamic(tree):
            assert out is not truth(tree, static, 0, 0)


def _asks(node: Node) -> bool:
    """Whether a tree asks for other provisions."""
    return node.kind == SUBJECT or any(_asks(child) for child in node.children)


def _by_dynamic(tree: Node) -> bool:
    """Whether a tree has tests that static bits do not settle: the look ahead need not see through these."""
    tested = tree.kind == SUBJECT or bool(tree.need_true or tree.need_false)
    return tested or any(_by_dynamic(child) for child in tree.children)
