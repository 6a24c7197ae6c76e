import type { Command, Option } from 'commander'

/** The possible completions after a command. */
export interface Words {
  /** `pin add`; empty for the program itself. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly { readonly long: string; readonly description: string; readonly takesValue: boolean }[]
}

/** The adapters of this project, for `--backend`. */
export const backends = ['helia', 'ipfs-rpc', 'bittorrent', 'memory'] as const

/** The program, and each of its commands. */
export function wordsOf(program: Command): Words[] {
  return [words(program, ''), ...below(program, '')]
}

function below(command: Command, path: string): Words[] {
  return command.commands.flatMap((inner) => {
    const inside = path === '' ? inner.name() : `${path} ${inner.name()}`
    return [words(inner, inside), ...below(inner, inside)]
  })
}

function words(command: Command, path: string): Words {
  return {
    path,
    commands: command.commands.map((inner) => ({ name: inner.name(), description: inner.description() })),
    options: [
      ...command.options.map(optionOf),
      { long: '--help', description: 'examples and options', takesValue: false }
    ]
  }
}

function optionOf({ long, description, required, optional }: Option): Words['options'][number] {
  return { long: long ?? '', description, takesValue: required || optional }
}
