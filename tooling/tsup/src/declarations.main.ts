// Run in the folder of a package that is built: what a user's compiler reads may name what the user has installed, and nothing
// that is carried inside of the package (docs/decisions/0007).
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageOf } from './packages.ts'

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
const installed = new Set([
  manifest.name,
  ...Object.keys(manifest.dependencies ?? {}),
  ...Object.keys(manifest.peerDependencies ?? {})
])
const imported = /\bfrom\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|^import\s+['"]([^'"]+)['"]/gm
const declared = /"(\.\/dist\/[^"]+\.d\.ts)"/g

const files = new Set([...JSON.stringify(manifest.exports).matchAll(declared)].map(([, file = '']) => join(file)))
const wrong: string[] = []
// A set that grows while it is gone through: what is added comes at its end.
for (const file of files) {
  for (const match of readFileSync(file, 'utf8').matchAll(imported)) {
    const specifier = match[1] ?? match[2] ?? match[3] ?? ''
    if (specifier.startsWith('.')) files.add(join(dirname(file), specifier.replace(/\.[jt]s$/, '.d.ts')))
    else if (!specifier.startsWith('node:') && !installed.has(packageOf(specifier)))
      wrong.push(`${file} names ${specifier}, which a user of ${manifest.name} does not have`)
  }
}
for (const line of wrong) process.stderr.write(`${line}\n`)
if (files.size === 0 || wrong.length > 0) process.exitCode = 1
