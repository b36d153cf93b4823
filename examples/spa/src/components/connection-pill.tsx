import { type ConnectionStatus, useInvalidationStatus } from '@query-tags/react'
import { type ReactNode, useEffect, useState } from 'react'

/** The state of the connection, in words. */
export function ConnectionPill() {
  const status = useInvalidationStatus()
  return (
    <span
      className="pill"
      role="status"
      data-state={status.state}
      title={'reason' in status ? status.reason : undefined}
    >
      {describe(status)}
    </span>
  )
}

function describe(status: ConnectionStatus): ReactNode {
  switch (status.state) {
    case 'connecting':
      return 'Connecting'
    case 'live':
      return 'Live'
    case 'degraded':
      return 'Connected, checking'
    case 'waiting':
      return <Countdown until={status.retryAt} />
    case 'paused':
      return status.reason === 'offline' ? 'Offline' : 'Paused'
    case 'closed':
      return 'Closed'
  }
}

function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  const seconds = Math.ceil((until - now) / 1000)
  return seconds > 0 ? `Reconnecting in ${seconds} s` : 'Reconnecting'
}
