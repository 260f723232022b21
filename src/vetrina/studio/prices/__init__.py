"""The public page of prices: packs and plans side by side, with what a picture costs."""
