import { join } from 'node:path'
import { parse } from 'yaml'
import { read } from './workspace.ts'

type Versions = Readonly<Record<string, string>>
interface Importer {
  readonly dependencies?: Readonly<Record<string, { readonly version: string }>>
}
interface Lockfile {
  readonly importers: Readonly<Record<string, Importer>>
  readonly snapshots: Readonly<
    Record<string, { readonly dependencies?: Versions; readonly optionalDependencies?: Versions }>
  >
}

const { importers, snapshots } = parse(read('pnpm-lock.yaml')) as Lockfile
const { allowBuilds } = parse(read('pnpm-workspace.yaml')) as { allowBuilds: Readonly<Record<string, boolean>> }

/** The names of packages with a useful install script that users get with one of our packages. */
export function installScripts(folder: string): string[] {
  const seen = new Set<string>()
  const names = new Set<string>()
  const visitFolder = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const [name, { version }] of Object.entries(importers[path]?.dependencies ?? {})) visit(name, version, path)
  }
  const visit = (name: string, version: string, from: string): void => {
    if (version.startsWith('link:')) return visitFolder(join(from, version.slice('link:'.length)))
    const id = `${name}@${version}`
    if (seen.has(id)) return
    seen.add(id)
    names.add(name)
    const { dependencies, optionalDependencies } = snapshots[id] ?? {}
    for (const [next, at] of Object.entries({ ...dependencies, ...optionalDependencies })) visit(next, at, from)
  }
  visitFolder(folder)
  return Object.keys(allowBuilds).filter((name) => allowBuilds[name] === true && names.has(name))
}
