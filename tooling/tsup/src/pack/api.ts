import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { PackedPackage } from './packed.ts'
import { declaredName, statementsOf } from './statements.ts'

/** The statements that declare a name, and the unexported declarations that they refer to, which are a part of it. */
function declarationsOf(statements: readonly string[], name: string, seen: Set<string> = new Set<string>()): string[] {
  seen.add(name)
  const own = statements.filter((statement) => declaredName(statement) === name)
  const hidden = statements.flatMap((statement) => {
    const other = declaredName(statement)
    const named = other !== undefined && !seen.has(other) && !statement.startsWith('export ')
    return named && own.some((text) => new RegExp(`\\b${other}\\b`).test(text)) ? [other] : []
  })
  return [...own, ...[...new Set(hidden)].flatMap((other) => declarationsOf(statements, other, seen))]
}

/** The public names of a declaration file, each with its declarations. */
export function publicNames(file: string, seen: ReadonlySet<string> = new Set<string>()): Map<string, string> {
  const names = new Map<string, string>()
  if (seen.has(file)) return names
  const statements = statementsOf(readFileSync(file, 'utf8'))
  const below = (specifier: string): Map<string, string> =>
    publicNames(join(dirname(file), specifier.replace(/(?:\.d)?\.[jt]s$/, '.d.ts')), new Set([...seen, file]))
  const local = (name: string): string => declarationsOf(statements, name).join('\n')
  for (const statement of statements) {
    const [, list, from] = /^export (?:type )?(\*|\{[^}]*\})(?: from ['"]([^'"]+)['"])?/.exec(statement) ?? []
    const name = declaredName(statement)
    if (list === undefined) {
      if (name !== undefined && statement.startsWith('export ')) names.set(name, local(name))
      continue
    }
    const foreign = from !== undefined && !from.startsWith('.')
    if (list === '*') {
      if (foreign) names.set(`* from ${from}`, statement)
      else for (const [each, text] of below(from ?? '')) names.set(each, text)
      continue
    }
    const source = from === undefined || foreign ? undefined : below(from)
    for (const item of list
      .slice(1, -1)
      .split(',')
      .map((part) => part.trim().replace(/^type /, ''))
      .filter(Boolean)) {
      const [inner = '', outer = inner] = item.split(' as ')
      const text = source?.get(inner) ?? local(inner)
      const renamed = outer === inner ? '' : `// ${inner}, exported as ${outer}\n`
      names.set(outer, foreign ? `export { ${item} } from '${from}'` : renamed + text)
    }
  }
  return names
}

function report(door: string, names: ReadonlyMap<string, string>): string {
  const texts = [...names].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
  return [
    `# The API of ${door}`,
    'Written from the built declarations. A change here is a change for users: it needs a changeset.',
    `\`\`\`ts\n${texts.join('\n\n')}\n\`\`\`\n`
  ].join('\n\n')
}

/**
 * Compares the public names of each door with its report in `api/`, if the package has that folder; or writes the
 * reports.
 */
export function apiReports({ folder, manifest }: PackedPackage, api: string, write: boolean): string[] {
  if (!existsSync(api)) return []
  return Object.entries(manifest.exports).flatMap(([door, target]) => {
    const { types } = target as { types?: string }
    if (types === undefined) return []
    const file = join(api, `${door === '.' ? 'index' : door.slice(2).replaceAll('/', '-')}.api.md`)
    const text = report(join(manifest.name, door), publicNames(join(folder, types)))
    if (write) {
      mkdirSync(api, { recursive: true })
      writeFileSync(file, text)
      return []
    }
    if (existsSync(file) && readFileSync(file, 'utf8') === text) return []
    return [`${file} is not the API that was built: run \`pnpm run pack:check --write-api\`, and review the difference`]
  })
}
