"""Image engines behind one interface (`base`): the built-in one, OpenAI-compatible ones, ComfyUI."""
