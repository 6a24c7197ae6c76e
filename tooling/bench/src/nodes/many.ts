import { timed } from './mailbox.ts'

/** Gets all of them, `parallel` at a time. */
export async function getMany(
  cids: readonly string[],
  parallel: number,
  get: (cid: string) => Promise<number>
): Promise<{ bytes: number; time: number }> {
  let bytes = 0
  const todo = cids.values()
  const work = async (): Promise<void> => {
    for (const cid of todo) {
      const got = await get(cid)
      bytes += got
    }
  }
  const time = await timed(async () => {
    await Promise.all(Array.from({ length: parallel }, work))
  })
  return { bytes, time }
}
