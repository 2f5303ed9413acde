"""Model cards on a page."""

__all__ = ["card_text"]


def card_text(card: str) -> str:
    """A card's text without its YAML front matter, its headings two levels lower."""
    if card.startswith("---\n"):
        card = card.partition("\n---\n")[2]
    return "\n".join(f"###{line}" if line.startswith("#") else line for line in card.splitlines())
