const tokens = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[^])*`|\/\/[^\n]*|\/\*[^]*?\*\//g

/** Source text without its comments. Strings stay. */
export function withoutComments(source: string): string {
  return source.replaceAll(tokens, (token) => (token.startsWith('/') ? ' ' : token))
}

export interface Import {
  readonly specifier: string
  readonly dynamic: boolean
}

/** The imports and re-exports of a module: `import`, `export … from`, `import()` of a literal. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source)
  const found: Import[] = []
  for (const [, specifier] of code.matchAll(
    /(?:^|[;\n}])\s*(?:import|export)\b[^;'"`()]*?\bfrom\s*['"]([^'"\n]+)['"]/g
  ))
    found.push({ specifier: specifier as string, dynamic: false })
  for (const [, specifier] of code.matchAll(/(?:^|[;\n])\s*import\s*['"]([^'"\n]+)['"]/g))
    found.push({ specifier: specifier as string, dynamic: false })
  for (const [, specifier] of code.matchAll(/\bimport\s*\(\s*['"`]([^'"`\n]+)['"`]/g))
    found.push({ specifier: specifier as string, dynamic: true })
  return found
}

export function isRelative(specifier: string): boolean {
  return specifier.startsWith('.')
}
