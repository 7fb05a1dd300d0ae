"""Variants: names for lists of patches."""

from pathlib import Path

import pytest

from z3trace import paths
from z3trace.errors import InputError, UsageError
from z3trace.kernels import variant


def test_shipped_variants_name_their_patches() -> None:
    assert {"page-lock", "pool-lock"} <= set(variant.shipped())
    for name in variant.shipped():
        assert all(path.is_file() for path in variant.load(name).patches)


def test_every_shipped_semantic_patch_is_in_a_variant() -> None:
    used = {path.name for name in variant.shipped() for path in variant.load(name).patches}
    assert used == {path.name for path in (paths.testbed() / "variants").glob("*.cocci")}


def test_an_unknown_variant_names_the_shipped_ones() -> None:
    with pytest.raises(UsageError, match=r"stock, bug-class-left-locked.*page-lock"):
        variant.load("nothing")


def test_stock_is_the_source_as_packaged() -> None:
    assert variant.load("stock") == variant.Variant("stock", "", ())


def test_patches_go_on_top_and_into_the_name() -> None:
    mine = [Path("v1.patch"), Path("fix.cocci")]
    assert variant.load("stock", mine) == variant.Variant("stock+v1+fix", "", tuple(mine))
    chosen = variant.load("page-lock", mine)
    assert chosen.name == "page-lock+v1+fix"
    assert chosen.patches == (*variant.load("page-lock").patches, *mine)


def test_a_name_has_room_in_a_label_whatever_the_patches_are_called() -> None:
    five = [Path(f"000{n}-z3fold-step-{n}-of-the-locking-rework.patch") for n in range(1, 6)]
    name = "stock+0001-z3fold-step-1-of-the-locking-rework+4 more"
    assert variant.load("stock", five).name == name
    assert len(variant.load("stock", [Path("x " * 120)] * 3).name) <= 120
    assert variant.load("stock", [Path("-"), Path("a.PATCH.gz"), Path("b\udcff.mbx")]).name == (
        "stock+stdin+a+b\ufffd"
    )


def test_a_variant_knows_how_its_patches_are_applied() -> None:
    chosen = variant.load("page-lock", [Path("a.cocci")], 2, ["patch"])
    assert (chosen.fuzz, chosen.defines) == (2, ("patch",))


def test_a_file_of_ones_own_names_patches_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('patches = ["a.patch", "b.cocci"]\nheaders = ["counted.h"]\n')
    chosen = variant.load(str(path))
    assert chosen.name == "mine"
    assert chosen.patches == (tmp_path / "a.patch", tmp_path / "b.cocci")
    assert chosen.headers == ("counted.h",)


_DEEP = "patches = " + "[" * 5000 + "]" * 5000
_LONG = "patches = []\nx = " + "9" * 5000


@pytest.mark.parametrize(
    "text",
    [
        *("patches = [", "description = 'x'", "patches = 1", "patches = [1]", "\x00", "\udcff"),
        *("patches = ['a\\u0000b']".replace("'", '"'), _DEEP, _LONG),
    ],
)
def test_what_is_no_variant_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(InputError, match="is not a variant|is larger than 65536 bytes"):
        variant.load(str(path))


@pytest.mark.parametrize(
    "headers", ['"counted.h"', '["/etc/passwd"]', '["other.h"]', "[1]", "[[1]]"]
)
def test_headers_are_those_of_the_testbed(tmp_path: Path, headers: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f"patches = []\nheaders = {headers}\n")
    with pytest.raises(InputError, match=r"headers must be a list of: counted\.h, visible\.h"):
        variant.load(str(path))


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../outside.patch", "sub/../../outside.patch", "link.patch", "up/a.patch"],
)
def test_a_variants_patches_stay_in_its_directory(tmp_path: Path, name: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "outside.patch").touch()
    (home / "link.patch").symlink_to("../outside.patch")
    (home / "up").symlink_to("..")
    path = home / "mine.toml"
    path.write_text(f"patches = ['{name}']\n")
    with pytest.raises(InputError, match="lies outside of the variant's directory"):
        variant.load(str(path))


def test_a_variant_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/mine.toml").write_text("patches = ['sub/a.patch']\n")
    (tmp_path / "link").symlink_to("real")
    chosen = variant.load(str(tmp_path / "link/mine.toml"))
    assert chosen.patches == (tmp_path / "link/sub/a.patch",)


def test_a_large_file_is_no_variant(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("#" * 70_000)
    with pytest.raises(InputError, match="is larger than"):
        variant.load(str(path))


def test_what_is_shipped_is_ours_and_nothing_else(tmp_path: Path) -> None:
    assert variant.ours(["stock", *variant.shipped()], [])
    assert not variant.ours(["page-lock", "mine.toml"], [])
    assert not variant.ours(["page-lock"], [tmp_path / "x.patch"])


def test_a_variant_of_another_target_is_refused_in_one_line() -> None:
    with pytest.raises(UsageError, match="page-lock is for z3fold, not for zsmalloc") as raised:
        variant.load("page-lock", target="zsmalloc")
    assert "zs-class-lock" in str(raised.value.hint)
    assert "bug-double-lock" not in str(raised.value.hint)
    assert "\n" not in str(raised.value)
    with pytest.raises(UsageError, match=r"there are: stock, bug-double-lock, .*pool-lock; or"):
        variant.load("nothing", target="z3fold")


def test_a_variant_without_a_target_is_for_any(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("patches = ['a.cocci']\n")
    assert variant.load(str(path), target="zsmalloc").name == "mine"
    path.write_text("patches = ['a.cocci']\ntarget = 'zbud'\n")
    with pytest.raises(UsageError, match=r"mine\.toml is for zbud, not for zsmalloc"):
        variant.load(str(path), target="zsmalloc")


def test_every_shipped_variant_says_what_it_is_for() -> None:
    by_target = [variant.shipped(target) for target in ("z3fold", "zsmalloc")]
    assert by_target[0].keys() | by_target[1].keys() == variant.shipped().keys()
    assert not by_target[0].keys() & by_target[1].keys()


@pytest.mark.parametrize(
    ("source", "needed"),
    [("spin_lock(&pool->lock);", True), ("x\n\tspin_lock(&class->lock);", False)],
)
def test_a_source_that_is_so_already_needs_no_patch(source: str, needed: bool) -> None:
    """What comes on top is put on it all the same."""
    mine = Path("mine.patch")
    chosen = variant.load("zs-class-lock", [mine], target="zsmalloc").of(source.encode())
    own = [paths.testbed() / "variants/zs-class-lock.cocci"] if needed else []
    assert list(chosen.patches) == [*own, mine]
    assert chosen.name == "zs-class-lock+mine"


RECLAIM = (
    b"/* see z3fold_reclaim_page() */\nstatic int z3fold_reclaim_page(struct z3fold_pool *pool)\n"
)


def test_a_patch_is_left_out_where_the_function_that_it_is_for_is_gone() -> None:
    chosen = variant.load("pool-lock")
    assert chosen.fitting(RECLAIM) == (chosen, [])
    fitting, idle = chosen.fitting(RECLAIM.splitlines()[0] + b"\nint x = z3fold_reclaim_page(p);\n")
    assert [patch.name for patch in idle] == ["no-missing-slots-freed.cocci"]
    assert fitting.name == chosen.name
    assert set(fitting.patches) == {*chosen.patches} - {*idle}


def test_a_variant_may_be_for_one_function() -> None:
    assert variant.load("bug-empty-lru").fits(RECLAIM)
    assert not variant.load("bug-empty-lru").fits(b"int x = z3fold_reclaim_page(p);\n")
    assert variant.load("page-lock").fits(b"")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('{ "b.cocci" = "f" }', "must be a table of patches that it lists"),
        ('["a.cocci"]', "must be a table of patches that it lists"),
        ('{ "a.cocci" = 1 }', "names what is no function: 1"),
        ('{ "a.cocci" = "f|g" }', r"names what is no function: 'f\|g'"),
    ],
)
def test_what_a_patch_is_only_for_must_be_a_function(tmp_path: Path, table: str, said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'patches = ["a.cocci"]\nonly_with = {table}\n')
    with pytest.raises(InputError, match=said):
        variant.load(str(path))
