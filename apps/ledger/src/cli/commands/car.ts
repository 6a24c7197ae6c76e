import { createWriteStream } from 'node:fs'
import { link, lstat, open, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { exitCodes } from '@p2pl/cli/tools'
import { CID } from 'multiformats/cid'
import { isLedgerError, LedgerError } from '../../errors.ts'
import type { GenesisBlock } from '../../rules/genesis.ts'
import { verificationView, verifyCar, verifyLedger } from '../../node/verify.ts'
import { openHome } from '../../node/home.ts'
import type { VerificationView } from '../../service/views.ts'
import { type CommandContext, withLedger } from '../context.ts'
import { balanceLines } from '../text.ts'

export async function exportCar(
  context: CommandContext,
  file: string,
  options: { readonly force?: boolean | undefined }
): Promise<void> {
  const { output, signal } = context
  const force = options.force === true
  // Checked before the work, and again at its end.
  if (file !== '-' && !force) await refuseExisting(file)
  const progress = output.progress('bytes written:')
  let bytes = 0
  const counted = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      yield chunk
      bytes += chunk.byteLength
      progress(bytes)
    }
  }
  await withLedger(context, 'entries', async (service) => {
    const source = counted(service.exportCar({ signal }))
    if (file === '-') for await (const chunk of source) await output.bytes(chunk)
    else await writeWhole(file, source, force)
  })
  progress()
  if (file !== '-') output.result({ file, bytes }, () => `${bytes} bytes written to ${file}`)
}

export async function importCar(context: CommandContext, file: string): Promise<number> {
  const source = file === '-' ? process.stdin : await openFile(file)
  const result = await withLedger(
    context,
    'entries',
    async (service) => await service.importCar(source, { signal: context.signal })
  )
  const { added, known, refused, incomplete } = result
  context.output.result(result, () => [
    `${added} added, ${known} known, ${refused} refused`,
    ...(incomplete === undefined ? [] : [`${incomplete}. What is whole was taken: get the file again for the rest`])
  ])
  return refused === 0 && incomplete === undefined ? exitCodes.ok : exitCodes.invalid
}

export async function verify(
  context: CommandContext,
  source: string | undefined,
  options: { readonly root?: string | undefined }
): Promise<void> {
  const progress = context.output.progress('entries verified:')
  const found = await verifySource(context, source, options.root, progress)
  progress()
  context.output.result(found, () => [
    `ledger    ${found.genesis} (${found.network})`,
    `root      ${found.root}`,
    `balances  ${found.balances}`,
    `verified  ${found.entries} entries, ${found.rejected} of them rejected by the rules`,
    ...balanceLines(found.accounts)
  ])
}

async function verifySource(
  context: CommandContext,
  source: string | undefined,
  expectedRoot: string | undefined,
  onProgress: (entries: number) => void
): Promise<VerificationView> {
  const { signal } = context
  const checks = { onProgress, signal }
  const root = expectedRoot === undefined ? undefined : parseCid(expectedRoot)
  if (source === undefined) {
    return await withLedger(context, 'entries', async (service, home) => {
      return await verifyCar(service.exportCar({ signal }), { genesis: home.genesis, root }, checks)
    })
  }
  const cid = tryCid(source)
  if (cid === undefined)
    return await verifyCar(await openFile(source), { genesis: await knownGenesis(context), root }, checks)
  return await withLedger(context, 'content', async (service, { genesis }) => {
    const getBlock = async (wanted: CID): Promise<Uint8Array> => await service.block(wanted.toString(), { signal })
    return verificationView(genesis, cid, await verifyLedger({ root: cid, genesis, getBlock, ...checks }))
  })
}

/** A file can also be verified without a ledger. Then the file itself says which ledger it belongs to. */
async function knownGenesis(context: CommandContext): Promise<GenesisBlock | undefined> {
  try {
    return (await openHome(context.options.dir)).genesis
  } catch (error) {
    if (isLedgerError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

async function refuseExisting(file: string): Promise<void> {
  const there = await lstat(file).catch(() => undefined)
  if (there === undefined) return
  if (there.isDirectory()) throw new LedgerError('INVALID_ARGUMENT', `${file} is a folder: name a file`)
  throw new LedgerError('INVALID_ARGUMENT', `${file} is there already: give another name, or --force to replace it`)
}

async function writeWhole(file: string, source: AsyncIterable<Uint8Array>, force: boolean): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    await pipeline(Readable.from(source, { objectMode: false }), createWriteStream(temporary, { flush: true }))
    if (force) await rename(temporary, file)
    else {
      // Unlike a rename, a link never replaces an existing file.
      await link(temporary, file)
      await rm(temporary)
    }
  } catch (error) {
    await rm(temporary, { force: true })
    if (!force) await refuseExisting(file)
    // The user gave this file name, not that of the temporary file.
    throw error instanceof Error && 'path' in error ? Object.assign(error, { path: file }) : error
  }
}

async function openFile(file: string): Promise<AsyncIterable<Uint8Array>> {
  // Opened before it is read, so that a file that cannot be opened is not reported as damaged.
  const handle = await open(file)
  if ((await handle.stat()).isDirectory()) {
    await handle.close()
    throw new LedgerError('INVALID_ARGUMENT', `${file} is a folder: name a file`)
  }
  return handle.createReadStream()
}

function parseCid(text: string): CID {
  const cid = tryCid(text)
  if (cid === undefined) throw new LedgerError('INVALID_ARGUMENT', `"${text.slice(0, 80)}" is not a CID`)
  return cid
}

function tryCid(text: string): CID | undefined {
  try {
    return CID.parse(text)
  } catch {
    return undefined
  }
}
