/** `@a/b/c` belongs to the package `@a/b`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

const folder = /^(?<root>.*node_modules\/(?<name>@[^/]+\/[^/]+|[^/]+))\//

/** The package that a file under `node_modules` belongs to, and its folder; `undefined` for our own files. */
export function packageOfFile(path: string): { name: string; root: string } | undefined {
  const { name, root } = folder.exec(path)?.groups ?? {}
  return name === undefined || root === undefined ? undefined : { name, root }
}
