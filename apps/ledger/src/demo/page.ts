import { describeError } from '../errors.ts'
import { buildPage, isPageBuilt } from '../http/build-page.ts'
import { type Demo, type DemoPeer, startFront } from '../http/front.ts'
import type { Api } from '../http/listener.ts'
import { branches } from './accounts.ts'
import type { Crew } from './crew.ts'

export interface PageOptions {
  readonly crew: Crew
  /** 0 picks a free port. */
  readonly port: number
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** Serves the page of the demonstration. If its sources are newer, it is built while the peers start. */
export async function openPage({ crew, port, say, signal }: PageOptions): Promise<Api> {
  const front = await startFront({
    demo: demoOf(crew),
    port,
    onError: (error) => say(`the page's server failed: ${describeError(error).message}`)
  })
  say(`the page: ${addressOf(front)}`)
  if (!(await isPageBuilt())) {
    say('the page is being built, which takes some seconds')
    void buildPage(signal).then(
      () => say('the page is built'),
      (error: unknown) => {
        if (!signal.aborted) say(describeError(error).message)
      }
    )
  }
  return front
}

/** The part after `#` stays in the browser. */
export function addressOf({ url, token }: Api): string {
  return `${url}/#token=${token}`
}

/** The crew, in the form that the page uses. */
export function demoOf(crew: Crew): Demo {
  const peers = (): DemoPeer[] =>
    branches.map((name) => {
      const life = crew.life(name)
      return { name, life, ledger: life === 'up' ? crew.peer(name)?.ledger : undefined }
    })
  return {
    peers,
    kill: async (name) => {
      for (const branch of branches) if (branch === name) await crew.crash(branch)
    },
    watch: (listener) => {
      let known = peers()
      // The crew also reports each new status.
      return crew.watch(() => {
        const now = peers()
        const isSame = now.every(({ life, ledger }, i) => life === known[i]?.life && ledger === known[i]?.ledger)
        known = now
        if (!isSame) listener()
      })
    }
  }
}
