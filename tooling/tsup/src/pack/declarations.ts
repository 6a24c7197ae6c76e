import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageOf } from '../packages.ts'
import type { PackedPackage } from './packed.ts'

const imported = /\bfrom\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|^import\s+['"]([^'"]+)['"]/gm
const declared = /"\.\/(dist\/[^"]+\.d\.ts)"/g

/**
 * A user's compiler reads the declarations. They may refer to packages that the user has installed, but not to packages
 * carried inside (docs/decisions/0007).
 */
export function declarations({ folder, manifest }: PackedPackage): string[] {
  const installed = new Set([
    manifest.name,
    ...Object.keys(manifest.dependencies ?? {}),
    ...Object.keys(manifest.peerDependencies ?? {})
  ])
  const files = new Set([...JSON.stringify(manifest.exports).matchAll(declared)].map(([, file = '']) => file))
  if (files.size === 0) return ['no door has declarations']
  const wrong: string[] = []
  // The loop also visits files that are added to the set during the loop.
  for (const file of files) {
    for (const match of readFileSync(join(folder, file), 'utf8').matchAll(imported)) {
      const specifier = match[1] ?? match[2] ?? match[3] ?? ''
      if (specifier.startsWith('.')) files.add(join(dirname(file), specifier.replace(/(?:\.d)?\.[jt]s$/, '.d.ts')))
      else if (!specifier.startsWith('node:') && !installed.has(packageOf(specifier)))
        wrong.push(`${file} names ${specifier}, which a user of ${manifest.name} does not have`)
    }
  }
  return wrong
}
