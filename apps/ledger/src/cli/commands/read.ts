import { exitCodes } from '@p2pl/cli/tools'
import { type CommandContext, withLedger } from '../context.ts'
import { balanceLines, entryLine, entryLines } from '../text.ts'

export async function balance(context: CommandContext, account: string | undefined): Promise<void> {
  await withLedger(context, 'entries', async (service, home) => {
    const wanted = account === 'me' ? home.identity.id : account
    if (wanted === undefined) {
      const balances = await service.balances()
      context.output.result({ balances }, () => balanceLines(balances))
    } else {
      const found = await service.balance(wanted)
      context.output.result(found, () => found.balance)
    }
  })
}

export async function show(
  context: CommandContext,
  cid: string,
  options: { readonly content?: boolean | undefined }
): Promise<number> {
  const { output, signal } = context
  if (options.content === true) {
    await withLedger(context, 'content', async (service) => {
      const { body } = await service.content(cid, { signal })
      for await (const chunk of body) await output.bytes(chunk)
    })
    return exitCodes.ok
  }
  const entry = await withLedger(context, 'entries', async (service) => await service.entry(cid))
  output.result(entry, () => entryLines(entry))
  return entry.status === 'accepted' ? exitCodes.ok : exitCodes.rejected
}

interface LogOptions {
  readonly limit: number
  readonly oldestFirst?: boolean | undefined
  readonly account?: string | undefined
  readonly after?: string | undefined
}

export async function log(context: CommandContext, options: LogOptions): Promise<void> {
  const { limit, account, after, oldestFirst } = options
  await withLedger(context, 'entries', async (service) => {
    const page = await service.entries({ limit, account, after, reverse: oldestFirst !== true })
    context.output.result(page, () => page.entries.map(entryLine))
  })
}

export async function status(context: CommandContext): Promise<void> {
  const found = await withLedger(context, 'entries', async (service) => await service.status())
  context.output.result(found, () => [
    `ledger      ${found.genesis} (${found.network})`,
    `account     ${found.account}${found.witness ? ', a witness' : ''}`,
    `root        ${found.root}`,
    `balances    ${found.balances}`,
    `entries     ${found.entries}, ${found.rejected} of them rejected`,
    `documents   ${found.documents.kept} of ${found.documents.known} kept here`,
    `network     ${found.backend}, ${found.connections} connections, ${found.agreeing.length} agree, ${found.diverging.length} diverge`,
    `waiting     ${found.missing} missing, ${found.pending} pending, ${found.quarantined} quarantined, ${found.dropped} dropped, ${found.damaged} damaged`
  ])
}
