npx --yes @p2pl/cli doctor
