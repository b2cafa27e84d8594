"""Files that people send: what they hold is untrusted until every cell has been read strictly."""
