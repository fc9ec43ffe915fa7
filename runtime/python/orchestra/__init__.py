"""What code in steps may import from Learning Orchestra itself."""
