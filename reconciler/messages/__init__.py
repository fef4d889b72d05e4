"""All words of the faces: one message for each code, state, field and condition, in the reader's language."""
