import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { exitCodes } from '@p2pl/cli/tools'
import { LedgerError } from '../../errors.ts'
import { maxDocumentBytes, type Written } from '../../service/service.ts'
import { type CommandContext, withLedger } from '../context.ts'
import { mediaTypeOf } from '../media-types.ts'
import { entryLines } from '../text.ts'

interface TransferOptions {
  readonly memo?: string | undefined
  readonly reference?: string | undefined
  readonly force?: boolean | undefined
  readonly sequence?: number | undefined
}

export async function transfer(
  context: CommandContext,
  to: string,
  amount: bigint,
  options: TransferOptions
): Promise<number> {
  const { memo, reference, force, sequence } = options
  const input = { to, amount, memo, reference, force, sequence }
  return report(context, await withLedger(context, 'entries', async (service) => await service.transfer(input)))
}

interface RecordOptions {
  readonly name?: string | undefined
  readonly mediaType?: string | undefined
  readonly reference?: string | undefined
}

export async function record(context: CommandContext, file: string, options: RecordOptions): Promise<number> {
  const name = options.name ?? (file === '-' ? 'stdin' : basename(file))
  const total = await sizeOf(file)
  if (total !== undefined && total > maxDocumentBytes)
    throw new LedgerError(
      'TOO_LARGE',
      `${file} has ${total.toLocaleString('en')} bytes; a document has at most ${maxDocumentBytes.toLocaleString('en')}`
    )
  const label = total === undefined ? 'bytes stored:' : `bytes stored, of ${total.toLocaleString('en')}:`
  const progress = context.output.progress(label)
  const written = await withLedger(
    context,
    'content',
    async (service) =>
      await service.record(
        {
          name,
          mediaType: options.mediaType ?? mediaTypeOf(name),
          reference: options.reference,
          content: counted(file === '-' ? process.stdin : createReadStream(file), progress)
        },
        { signal: context.signal }
      )
  )
  progress()
  return report(context, written)
}

function report(context: CommandContext, { entry, created }: Written): number {
  context.output.result({ ...entry, created }, () => [
    ...(created ? [] : ['this reference is written already:']),
    ...entryLines(entry)
  ])
  return entry.status === 'accepted' ? exitCodes.ok : exitCodes.rejected
}

async function sizeOf(file: string): Promise<number | undefined> {
  if (file === '-') return undefined
  try {
    const found = await stat(file)
    if (found.isFile()) return found.size
  } catch (cause) {
    throw new LedgerError('NOT_FOUND', `no file ${file}`, cause)
  }
  throw new LedgerError('INVALID_ARGUMENT', `${file} is not a file`)
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  progress: (done: number) => void
): AsyncGenerator<Uint8Array> {
  let done = 0
  for await (const chunk of source) {
    yield chunk
    done += chunk.byteLength
    progress(done)
  }
}
