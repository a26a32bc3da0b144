"""Which images are pinned."""

from dev.images import FILES, ROOT, named, unpinned

DIGEST = "@sha256:" + "0" * 64


def test_a_tag_alone_is_not_pinned() -> None:
    text = f"FROM a:1 AS build\nFROM --platform=x b:2{DIGEST}\nFROM build\nCOPY --from=build x .\n"
    assert unpinned(text) == ["a:1"]
    manifest = (
        f"  image: rabbitmq:4 # ours\n  - image: 'mongo:8{DIGEST}'\n  image: satchel-ingest\n"
    )
    assert unpinned(manifest) == ["rabbitmq:4"]
    assert [*named(manifest)] == ["rabbitmq:4", f"mongo:8{DIGEST}"]


def test_a_digest_is_whole_and_at_the_end() -> None:
    assert unpinned(f"FROM a:1{DIGEST[:-1]}") == [f"a:1{DIGEST[:-1]}"]
    assert unpinned(f"FROM a:1{DIGEST}0") == [f"a:1{DIGEST}0"]
    assert unpinned(f"FROM a:1{DIGEST}") == []


def test_every_image_of_the_project_is_found() -> None:
    texts = [path.read_text() for pattern in FILES for path in ROOT.glob(pattern)]
    found = {image.partition("@")[0] for text in texts for image in named(text)}
    names = {image.partition(":")[0].rpartition("/")[2] for image in found}
    assert {"python", "node", "rabbitmq", "mongo"} <= names


def test_every_dockerfile_is_asked() -> None:
    asked = {path for pattern in FILES for path in ROOT.glob(pattern)}
    folders = (ROOT / name for name in ("deploy", "dev", "ops", "services"))
    for folder in folders:
        for path in folder.rglob("Dockerfile*"):
            assert path in asked or "node_modules" in path.parts, path
