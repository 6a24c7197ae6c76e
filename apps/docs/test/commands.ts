import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { read, root } from '../src/repository.ts'

const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

/** The problem with a line of a document's shell block: a package, a script or one of our files that does not exist. */
export function commandFault(line: string, file: string): string | undefined {
  const command = line.replace(/(?:^|\s)#.*$/, '').trim()
  for (const [, name = ''] of command.matchAll(/@p2pl\/(?!source)([\w-]+)/g))
    if (!isPackage(name)) return `${command}: there is no package ${name}`
  const words = command.replace(/^(?:\w+=(?:"[^"]*"|\S+) )*/, '').split(/\s+/)
  const [program = '', first = '', second = ''] = words
  if (program === 'npm' && ['run', 'test', 'start'].includes(first)) {
    const script = first === 'run' ? second : first
    return script in scripts ? undefined : `${command}: there is no script ${script}`
  }
  if (program === 'node') {
    const path = words.find((word) => /\.[cm]?[jt]s$/.test(word)) ?? ''
    const isThere = [dirname(file), '.'].some((folder) => existsSync(join(root, folder, path)))
    return isThere ? undefined : `${command}: there is no ${path}`
  }
  return undefined
}

/** `npm create @p2pl/adapter` takes `@p2pl/create-adapter`. */
function isPackage(name: string): boolean {
  const folders = [`packages/${name}`, `packages/create-${name}`, `apps/${name}`]
  const [, group = '', rest = ''] = /^(tooling|example)-(.+)$/.exec(name) ?? []
  if (group !== '') folders.push(`${group === 'example' ? 'examples' : group}/${rest}`)
  return folders.some((folder) => existsSync(join(root, folder, 'package.json')))
}
