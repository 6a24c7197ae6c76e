import { dependencies } from './allowed.ts'
import { roomOf, rooms, tagOf, type Room } from './rooms.ts'
import { packages } from './workspace.ts'

/** `boundaries` of turbo.json. Turbo checks all direct and indirect dependencies of a package. */
export function boundaries(): object {
  const tags = Object.keys(rooms).map((folder) => {
    const allow = [...reachable(folder), 'tooling'].toSorted()
    const closed = folder.startsWith('packages/') ? {} : { dependents: { allow: [...dependents(folder), 'tooling'] } }
    return [tagOf(folder), { dependencies: { allow }, ...closed }]
  })
  return { implicitDependencies: ['vitest', 'tsup'], tags: Object.fromEntries(tags) as object }
}

/** The names of all packages that a room depends on, including its tests. */
function reachable(folder: string, seen: Set<string> = new Set<string>()): Set<string> {
  const room = rooms[folder]
  if (room === undefined) return seen
  for (const name of [...dependencies(room), ...(room.tests ?? [])])
    if (!seen.has(name)) reachable(folderOf(name), seen.add(name))
  return seen
}

/** The tags of the rooms that may depend on this one, which is not a package. */
function dependents(folder: string): string[] {
  const others = Object.entries(rooms).filter(([, room]) =>
    [...dependencies(room), ...(room.tests ?? [])].some((name) => folderOf(name) === folder)
  )
  return others.map(([other]) => tagOf(other))
}

function folderOf(name: string): string {
  return rooms[`packages/${name}`] === undefined ? `apps/${name}` : `packages/${name}`
}

interface Override {
  readonly files: readonly string[]
  readonly rules: { readonly 'no-restricted-imports': readonly unknown[] }
}

/**
 * The overrides of .oxlintrc.json that restrict imports. An editor then reports at once what the repo check reports
 * later.
 */
export function overrides(): Override[] {
  const all = new Map<string, Override>()
  const add = (step: string, files: readonly string[], rules: Override['rules']): void => {
    const alike = step + JSON.stringify(rules)
    all.set(alike, { files: [...(all.get(alike)?.files ?? []), ...files], rules })
  }
  // The last override of a file counts, so they go from general to specific.
  const entries = Object.entries(rooms)
  const general = entries.filter(([folder]) => folder.includes('*'))
  const particular = entries.filter(([folder]) => !folder.includes('*'))
  for (const [folder, room] of general) add('1', [`${folder}/src/**`], restrict(room, room.node !== true))
  for (const [folder, room] of particular) add('2', [`${folder}/src/**`], restrict(room, room.node !== true))
  for (const [folder, { ours, node }] of particular)
    if (node !== undefined && node !== true)
      add(
        '3',
        node.map((file) => `${folder}/src/${file}`),
        restrict({ ours }, false)
      )
  return [...all.values()]
}

function restrict({ ours }: Pick<Room, 'ours'>, browser: boolean): Override['rules'] {
  const doors = ours.filter((door) => door.startsWith('@p2pl/core'))
  const others = ours.filter((door) => !doors.includes(door))
  const group = ['@p2pl/*', ...others.map((door) => `!${door}`)]
  // A door behind a closed one opens only if the closed one is named separately.
  if (doors.length > 0) group.push('!@p2pl/core', '@p2pl/core/*', ...doors.map((door) => `!${door}`))
  if (browser) group.push('node:*')
  const paths = doors.length > 0 && !doors.includes('@p2pl/core') ? [{ name: '@p2pl/core', message }] : []
  const patterns = [{ group: [...new Set(group)], message }]
  return { 'no-restricted-imports': ['error', { ...(paths.length > 0 && { paths }), patterns }] }
}

const message = 'See the table of imports in ARCHITECTURE.md.'

export const tableStart = '<!-- imports -->'
export const tableEnd = '<!-- /imports -->'

/** The table of ARCHITECTURE.md with the existing rooms, including the lines around it. */
export function table(): string {
  const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ') || 'nothing'
  const there = new Set(packages.map((member) => roomOf(member.folder)))
  const existing = Object.entries(rooms).filter(([, room]) => there.has(room))
  const rows = existing.map(([folder, room]) => {
    const node = room.node === true ? 'yes' : room.node === undefined ? 'no' : code(room.node)
    const theirs = room.theirs === 'engine' ? 'its engine' : code(room.theirs)
    const cells = [`\`${folder}\``, code(room.ours), theirs, node, room.tests?.join(', ') ?? '']
    return `| ${cells.join(' | ')} |`
  })
  return [
    tableStart,
    '| room | of ours | of others | `node:*` | in tests only |',
    '|---|---|---|---|---|',
    ...rows,
    tableEnd
  ].join('\n')
}
