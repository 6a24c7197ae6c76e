import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { bash } from '../src/completion/bash.ts'
import { fish } from '../src/completion/fish.ts'
import { type Words, wordsOf } from '../src/completion/words.ts'
import { zsh } from '../src/completion/zsh.ts'
import { createProgram } from '../src/program.ts'

const folder = temporaryFolder()
const words = wordsOf(createProgram(() => async () => undefined))

interface Shell {
  readonly name: string
  readonly script: (all: readonly Words[]) => string
  /** Prints, one a line, what the shell offers at the end of this command line. */
  readonly offered: (file: string, line: string) => string
}

const shells: Shell[] = [
  {
    name: 'bash',
    script: bash,
    offered: (file, line) =>
      `source '${file}'; COMP_WORDS=(${line.replace(/ $/, " ''")}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _p2pl; printf '%s\\n' "\${COMPREPLY[@]}"`
  },
  {
    name: 'zsh',
    script: zsh,
    offered: (file, line) => `
      compdef() { :; }; compadd() { shift; print -l -- $@ }; _files() { :; }
      _describe() { [[ $1 == -o ]] && shift; for word in "\${(@P)2}"; do print -- "\${word%%:*}"; done }
      source '${file}'; words=(${line.replace(/ $/, " ''")}); CURRENT=$#words; _p2pl | grep -- "^$words[CURRENT]"; true`
  },
  {
    name: 'fish',
    script: fish,
    offered: (file, line) => `source '${file}'; complete -C '${line}' | string replace -r '\\t.*' ''; true`
  }
]

function isThere(shell: string): boolean {
  try {
    execFileSync(shell, ['-c', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

// Every machine of ours has bash; the other shells are tried where they are.
describe.each(shells.filter(({ name }) => name === 'bash' || isThere(name)))(
  'completion in $name',
  ({ name, script, offered }) => {
    const file = join(folder, `p2pl.${name}`)
    writeFileSync(file, script(words))

    function complete(line: string): string[] {
      return execFileSync(name, ['-c', offered(file, line)], { encoding: 'utf8' })
        .split('\n')
        .filter(Boolean)
    }

    it('offers commands, those below a command, options and backends', () => {
      expect(complete('p2pl pr')).toEqual(['provide', 'providers'])
      expect(complete('p2pl ')).toEqual(expect.arrayContaining(['add', 'doctor', 'room', 'sub']))
      expect(complete('p2pl pin ').toSorted()).toEqual(['add', 'ls', 'rm'])
      expect(complete('p2pl add --st')).toEqual(['--stay'])
      expect(complete('p2pl --json add --j')).toEqual(['--json'])
      expect(complete('p2pl --backend bit')).toEqual(['bittorrent'])
      expect(complete('p2pl --backend helia pin a')).toEqual(['add'])
      expect(complete('p2pl --n')).toEqual([])
    })
  }
)

it('knows every command and option', () => {
  const all = new Map(words.map((each) => [each.path, each]))
  expect([...all.keys()]).toEqual(expect.arrayContaining(['', 'add', 'pin add', 'completion']))
  expect(all.get('')?.commands.map(({ name }) => name)).toContain('bench')
  for (const script of [bash, zsh, fish])
    for (const { path, options } of words)
      for (const { long } of options) expect(script(words), path).toContain(long.slice(2))
})
