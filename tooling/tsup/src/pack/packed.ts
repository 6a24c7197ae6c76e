import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface PackedManifest {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** A package as users get it. */
export interface PackedPackage {
  readonly tarball: string
  /** The tarball, unpacked. */
  readonly folder: string
  readonly manifest: PackedManifest
  /** Every file, relative to the folder. */
  readonly files: readonly string[]
}

/**
 * Packs the package of the current folder with the pnpm that runs this script, and unpacks it in a new temporary
 * folder.
 */
export function pack(): PackedPackage & { readonly place: string } {
  const place = mkdtempSync(join(tmpdir(), 'p2pl-pack-'))
  execFileSync('pnpm', ['pack', '--pack-destination', place], { stdio: 'pipe' })
  const [name = ''] = readdirSync(place)
  const tarball = join(place, name)
  execFileSync('tar', ['xzf', tarball, '-C', place])
  return { place, tarball, ...readPacked(join(place, 'package')) }
}

export function readPacked(folder: string): Omit<PackedPackage, 'tarball'> {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as PackedManifest
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  return { folder, manifest, files }
}
