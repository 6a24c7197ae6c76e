import process from 'node:process'
import { bash } from '../completion/bash.ts'
import { fish } from '../completion/fish.ts'
import { type Words, wordsOf } from '../completion/words.ts'
import { zsh } from '../completion/zsh.ts'
import type { CommandContext } from '../context.ts'
import { createProgram } from '../program.ts'

type Shell = 'bash' | 'zsh' | 'fish'

const shells: Readonly<Record<Shell, (all: readonly Words[]) => string>> = { bash, zsh, fish }

export async function completion(_: CommandContext, shell: Shell): Promise<void> {
  const program = createProgram(() => async () => undefined)
  process.stdout.write(shells[shell](wordsOf(program)))
}
