-- An app that fails while it is loaded.
error('broken on purpose')
