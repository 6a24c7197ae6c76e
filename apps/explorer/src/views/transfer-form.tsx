import type { JSX } from 'preact'
import { useSignal } from '@preact/signals'
import type { EntryView } from '@p2pl/ledger'
import { accounts } from '../data/accounts.ts'
import { postJson } from '../data/api.ts'
import { nameOf } from '../data/names.ts'
import type { NodeState } from '../data/nodes.ts'
import { type Outcome, OutcomeLine } from '../ui/outcome.tsx'

export function TransferForm({ node }: { node: NodeState }): JSX.Element {
  const outcome = useSignal<Outcome>({ state: 'idle' })
  const own = node.status?.account
  const balance = accounts.value.find(({ account }) => account === own)?.balance
  const send = async (form: HTMLFormElement): Promise<void> => {
    const given = new FormData(form)
    const text = (name: string): string => {
      const value = given.get(name)
      return typeof value === 'string' ? value.trim() : ''
    }
    const memo = text('memo')
    outcome.value = { state: 'busy', text: 'sending' }
    try {
      const body = { to: text('to'), amount: text('amount'), ...(memo !== '' && { memo }) }
      const { cid } = await postJson<EntryView>(`${node.path}/transfers`, body)
      outcome.value = { state: 'done', text: `written as entry ${cid.slice(-8)}` }
      form.reset()
    } catch (error) {
      outcome.value = { state: 'failed', text: (error as Error).message }
    }
  }
  return (
    <section class="card" aria-labelledby="transfer-title">
      <h2 id="transfer-title">Transfer</h2>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault()
          void send(event.currentTarget)
        }}
      >
        {balance !== undefined && <p class="hint">The account has {BigInt(balance).toLocaleString('en')}.</p>}
        <label>
          To
          <input name="to" required list="accounts" autocomplete="off" spellcheck={false} placeholder="account id" />
        </label>
        <datalist id="accounts">
          {accounts.value
            .filter(({ account }) => account !== own)
            .map(({ account }) => (
              <option key={account} value={account}>
                {nameOf(account)}
              </option>
            ))}
        </datalist>
        <label>
          Amount
          <input
            name="amount"
            required
            inputMode="numeric"
            pattern="[0-9]+"
            title="a whole number"
            autocomplete="off"
          />
        </label>
        <label>
          Memo
          <input name="memo" maxLength={280} autocomplete="off" />
        </label>
        <div class="actions">
          <button type="submit" class="primary" disabled={outcome.value.state === 'busy'}>
            Send
          </button>
        </div>
        <OutcomeLine outcome={outcome.value} />
      </form>
    </section>
  )
}
