/** What is said about a change of membership or a redaction. Clients also send null where they say nothing. */
export const reasonOf = ({ reason }: Readonly<{ reason?: string | null }>): { reason?: string } =>
  typeof reason === 'string' ? { reason } : {}
