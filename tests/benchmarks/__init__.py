"""The short versions of what is measured."""
