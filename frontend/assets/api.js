// The four calls of the API (docs/openapi.json), on the page's own origin.

/** The timeout of a call, in milliseconds: the API's own is 30 seconds. */
const TIMEOUT_MS = 12_000;

/** @typedef {{playerId: string, name: string, joinedAt: number}} Player */
/**
 * @typedef {object} Room
 * @property {string} roomId
 * @property {string} hostId
 * @property {Player[]} players in the order in which they joined
 * @property {"waiting" | "playing" | "finished"} status
 * @property {number} maxPlayers
 * @property {number} createdAt milliseconds since the epoch
 * @property {number} expiresAt milliseconds since the epoch
 * @property {number} version
 */
/** @typedef {{playerId: string, playerToken: string, room: Room}} Joined */
/** @typedef {{room: Room | null, etag: string}} Looked room is null when it has not changed */

/**
 * A request that failed. `code` is the contract's, or NETWORK (no answer), or THROTTLED (the
 * gateway's 429); `retryAfterMs` is from the Retry-After header.
 */
export class Refusal extends Error {
  /**
   * @param {string} code
   * @param {number} [retryAfterMs]
   */
  constructor(code, retryAfterMs = 0) {
    super(code);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether a repeat may succeed soon; the request may even have been carried out. */
  get isPassing() {
    return ["NETWORK", "THROTTLED", "UNAVAILABLE", "INTERNAL_ERROR"].includes(this.code);
  }
}

/**
 * @param {string} hostName
 * @param {string} token
 * @returns {Promise<Joined & {roomId: string}>}
 */
export async function createRoom(hostName, token) {
  const response = await send("POST", "/rooms", { token, body: { hostName } });
  return await json(response);
}

/**
 * @param {string} code
 * @param {string} playerName
 * @param {string} token
 * @returns {Promise<Joined>}
 */
export async function joinRoom(code, playerName, token) {
  const response = await send("POST", `/rooms/${code}/join`, { token, body: { playerName } });
  return await json(response);
}

/**
 * @param {string} code
 * @param {string} [etag] of the answer before
 * @param {number} [createdAt] of the room, where it is known: it shows that the code is no guess
 * @returns {Promise<Looked>}
 */
export async function getRoom(code, etag = "", createdAt) {
  const response = await send("GET", `/rooms/${code}`, { etag, createdAt });
  const found = response.status === 304 ? null : /** @type {Room} */ (await json(response));
  return { room: found, etag: response.headers.get("etag") ?? etag };
}

/**
 * @param {string} code
 * @param {string} token
 */
export async function leaveRoom(code, token) {
  await send("DELETE", `/rooms/${code}/leave`, { token });
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{token?: string, etag?: string, createdAt?: number | undefined, body?: object}} options
 * @returns {Promise<Response>}
 */
async function send(method, path, { token, etag, createdAt, body }) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (etag) headers["if-none-match"] = etag;
  if (createdAt) headers["x-room-created"] = String(createdAt);
  if (body) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new Refusal("NETWORK");
  }
  if (response.ok || response.status === 304) return response;
  throw new Refusal(await refusalCode(response), retryAfterMs(response));
}

/**
 * Errors of the gateway and the edge have no code.
 *
 * @param {Response} response
 */
async function refusalCode(response) {
  const answer = await response.json().catch(() => null);
  if (typeof answer?.error?.code === "string") return answer.error.code;
  // They say nothing about the room: a 404 without a code must not remove a seat.
  return response.status === 429 ? "THROTTLED" : "UNAVAILABLE";
}

/** @param {Response} response */
function retryAfterMs(response) {
  const seconds = Number(response.headers.get("retry-after"));
  return seconds > 0 ? seconds * 1000 : 0;
}

/** @param {Response} response */
async function json(response) {
  try {
    return await response.json();
  } catch {
    throw new Refusal("NETWORK");
  }
}
