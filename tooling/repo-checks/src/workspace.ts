import { filesOfTree, pnpm, root } from '@p2pl/tooling-registry/tree'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'

export { pnpm, root }

export interface Manifest {
  readonly name: string
  readonly version?: string
  readonly private?: boolean
  readonly description?: string
  readonly license?: string
  readonly type?: string
  readonly keywords?: readonly string[]
  readonly files?: readonly string[]
  readonly homepage?: string
  readonly bugs?: { readonly url: string }
  readonly repository?: { readonly type: string; readonly url: string; readonly directory: string }
  readonly publishConfig?: { readonly access: string; readonly exports: Manifest['exports'] }
  readonly engines?: { readonly node?: string }
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>> | undefined
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
}

export interface WorkspacePackage {
  /** Relative to the workspace: `packages/core`. */
  readonly folder: string
  readonly manifest: Manifest
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

export function exists(path: string): boolean {
  return existsSync(join(root, path))
}

/** Files that are tracked or about to be: all files except those that git ignores. */
export const files: readonly string[] = filesOfTree()

export const rootManifest: Manifest = JSON.parse(read('package.json')) as Manifest

export const packages: readonly WorkspacePackage[] = files
  .filter((path) => /^(?:packages|apps|examples|tooling)\/[^/]+\/package\.json$/.test(path))
  .map((path) => ({ folder: dirname(path), manifest: JSON.parse(read(path)) as Manifest }))

export const published: readonly WorkspacePackage[] = packages.filter(({ manifest }) => manifest.private !== true)

export const catalog: Readonly<Record<string, string>> = (
  parse(read('pnpm-workspace.yaml')) as { catalog: Record<string, string> }
).catalog

export function filesBelow(folder: string, extension = ''): string[] {
  return files.filter((path) => path.startsWith(`${folder}/`) && path.endsWith(extension))
}

/** All dependencies of one manifest, of every kind. */
export function dependenciesOf(manifest: Manifest): Record<string, string> {
  return {
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
    ...manifest.devDependencies,
    ...manifest.dependencies
  }
}

/** Files whose text can be searched: no images, no lockfile. */
export function textFiles(): string[] {
  return files.filter(
    (path) =>
      path !== 'pnpm-lock.yaml' &&
      /(?:^|\/)[^/]*(?:\.(?:ts|js|json|yaml|yml|md|html|css|sh|csv|txt)|run|\.[a-z]+rc|\.git\w+)$/.test(path)
  )
}
