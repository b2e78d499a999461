import { type ChildProcess, fork } from 'node:child_process'
import { ConnectivityError } from '@sallyport/core'
import { maxTicketBytes } from '../limits.ts'
import { delegationProblem, missingProblem } from './kerberos-problem.ts'
import type { ChildAnswer } from './negotiate-child.ts'

/** A child process that turns the ticket in its credential cache into tokens, one after the other. */
export interface TokenProcess {
  /** Whether it can still be asked. */
  readonly usable: boolean
  /** @throws ConnectivityError `PRINCIPAL_NOT_ISSUED`; the reason of the signal, and the process is ended then. */
  tokenFor(service: string, signal: AbortSignal): Promise<Buffer>
  end(): void
}

const childFile = new URL(`./negotiate-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/** Starts one. @throws ConnectivityError `PRINCIPAL_NOT_ISSUED` when the package `kerberos` cannot be loaded. */
export async function startTokenProcess(environment: Readonly<Record<string, string>>, signal: AbortSignal): Promise<TokenProcess> {
  signal.throwIfAborted()
  const child = fork(childFile, [], { env: { ...environment }, execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  child.unref()
  child.channel?.unref()
  try {
    const first = await answerOf(child, signal)
    if (!('loaded' in first)) {
      const why = 'missing' in first && /MODULE_NOT_FOUND|Cannot find/.test(first.missing) ? 'is not installed' : 'cannot be loaded'
      throw missingProblem(
        `the package kerberos ${why} on the machine of the connector; install it beside @sallyport/cloud-connector: npm install kerberos`,
      )
    }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  let ended = false
  const end = (): void => {
    ended = true
    child.kill('SIGKILL')
  }
  return {
    get usable() {
      return !ended && child.connected
    },
    async tokenFor(service, until) {
      const answered = answerOf(child, until)
      child.send({ service }, () => {
        // Who cannot be asked has ended, which `answerOf` notices.
      })
      try {
        const answer = await answered
        if (!('token' in answer)) throw delegationProblem('problem' in answer ? answer.problem : 'the process for tokens has started again')
        const token = Buffer.from(answer.token, 'base64')
        if (token.length === 0) throw delegationProblem('an empty token')
        if (token.length > maxTicketBytes)
          throw new ConnectivityError('PRINCIPAL_NOT_ISSUED', `the ticket has more than ${maxTicketBytes} bytes`)
        return token
      } catch (error) {
        // What it would say later must not become the answer to the next question.
        if (until.aborted) end()
        throw error
      }
    },
    end,
  }
}

/** The next thing that the child says. */
function answerOf(child: ChildProcess, signal: AbortSignal): Promise<ChildAnswer> {
  return new Promise((resolve, reject) => {
    const settle = (settleAs: () => void): void => {
      child.off('message', onMessage).off('exit', onGone).off('error', onGone)
      signal.removeEventListener('abort', onAbort)
      settleAs()
    }
    const onMessage = (answer: unknown): void => settle(() => resolve(answer as ChildAnswer))
    const onGone = (): void => settle(() => reject(delegationProblem('the process that makes tokens has ended')))
    const onAbort = (): void => settle(() => reject(signal.reason as Error))
    child.on('message', onMessage).on('exit', onGone).on('error', onGone)
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
}
