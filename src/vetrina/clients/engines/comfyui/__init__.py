"""ComfyUI servers."""
