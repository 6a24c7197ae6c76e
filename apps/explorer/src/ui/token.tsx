import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { setToken, token } from '../data/api.ts'

/** Opens a dialog for the token that writing needs. */
export function TokenButton(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null)
  const field = useRef<HTMLInputElement>(null)
  const isSet = token.value !== ''
  return (
    <>
      <button type="button" class="plain" onClick={() => dialog.current?.showModal()}>
        {isSet ? 'Token set' : 'Enter token'}
      </button>
      <dialog ref={dialog} aria-labelledby="token-title">
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault()
            setToken(field.current?.value ?? '')
            dialog.current?.close()
          }}
        >
          <h2 id="token-title">Token</h2>
          <p>Looking is free; writing needs the token that the server printed when it started. It stays in this tab.</p>
          <label>
            Token
            <input ref={field} type="password" autocomplete="off" spellcheck={false} defaultValue={token.value} />
          </label>
          <div class="actions">
            <button type="submit" class="primary">
              Save
            </button>
            <button type="button" onClick={() => dialog.current?.close()}>
              Cancel
            </button>
          </div>
        </form>
      </dialog>
    </>
  )
}
