"""A real Home Assistant, virtual modules and a garden, for `script/demo` and `script/e2e`."""
