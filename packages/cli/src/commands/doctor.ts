import type { CommandContext } from '../context.ts'
import { examine } from '../doctor/examine.ts'
import { exitCodes } from '../tools/index.ts'

interface Options {
  readonly timeFrom?: string | undefined
}

const signs = { ok: '✓', warn: '!', fail: '✗' } as const

/** Shows each check as soon as its result is known. */
export async function doctor(context: CommandContext, { timeFrom }: Options): Promise<number> {
  let faults = 0
  for await (const check of examine(context, timeFrom)) {
    const { name, status, message, fix } = check
    if (status === 'fail') faults++
    await context.output.item(check, () => [
      `${signs[status]} ${name.padEnd(13)} ${message}`,
      ...(fix === undefined || status === 'ok' ? [] : [`  ${''.padEnd(13)} → ${fix}`])
    ])
  }
  return faults === 0 ? exitCodes.ok : exitCodes.failed
}
