/** `@a/b/c` is of the package `@a/b`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

const folder = /^(?<root>.*node_modules\/(?<name>@[^/]+\/[^/]+|[^/]+))\//

/** The package that a file under `node_modules` is of, and its folder; `undefined` for a file of ours. */
export function packageOfFile(path: string): { name: string; root: string } | undefined {
  const { name, root } = folder.exec(path)?.groups ?? {}
  return name === undefined || root === undefined ? undefined : { name, root }
}
