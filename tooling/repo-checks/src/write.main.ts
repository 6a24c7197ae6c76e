// Writes the generated parts of configuration, manifests, ARCHITECTURE and README: `npx pnpm@12 --filter @p2pl/tooling-repo-checks run write`.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { matrix, matrixEnd, matrixStart } from './matrix.ts'
import { boundaries, overrides, table, tableEnd, tableStart } from './generated.ts'
import { replacePart } from './part.ts'
import { derivedFields } from './published.ts'
import { tagOf } from './rooms.ts'
import { packages, published, read, root } from './workspace.ts'

const written: string[] = []

function write(path: string, text: string): void {
  writeFileSync(join(root, path), text)
  written.push(path)
}

function edit(path: string, change: (value: Record<string, unknown>) => object): void {
  write(path, JSON.stringify(change(JSON.parse(read(path)) as Record<string, unknown>), undefined, 2))
}

edit('turbo.json', (value) => ({ ...value, boundaries: boundaries() }))
edit('.oxlintrc.json', (value) => {
  const kept = (value['overrides'] as { rules: object }[]).filter(({ rules }) => !('no-restricted-imports' in rules))
  return { ...value, overrides: [...overrides(), ...kept] }
})
for (const { folder, manifest } of published)
  edit(`${folder}/package.json`, (value) => ({ ...value, ...derivedFields(folder, manifest) }))
for (const { folder } of packages)
  edit(`${folder}/turbo.json`, (value) => ({ ...value, extends: ['//'], tags: [tagOf(folder)] }))
execFileSync(join(root, 'node_modules/.bin/oxfmt'), written, { cwd: root })

replacePart('ARCHITECTURE.md', tableStart, tableEnd, table())
replacePart('README.md', matrixStart, matrixEnd, matrix())
