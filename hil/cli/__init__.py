"""The commands of `hilnas` that need no search: measure, boards, doctor, emulate."""
