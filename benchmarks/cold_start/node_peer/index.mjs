// The same create in JavaScript: AWS's SDK, version 3, bundled with all that it needs.
import { randomBytes, randomInt } from "node:crypto";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const LETTERS = "BCDFGHJKMNPQRSTVWXZ23456789";
const client = new DynamoDBClient();

async function createRoom(event) {
  const { hostName } = JSON.parse(event.body);
  const now = Date.now();
  const roomId = Array.from({ length: 6 }, () => LETTERS[randomInt(LETTERS.length)]).join("");
  const playerId = randomBytes(16).toString("hex");
  const player = { name: { S: hostName }, joinedAt: { N: `${now}` } };
  await client.send(
    new PutItemCommand({
      TableName: process.env.ROOMS_TABLE,
      Item: {
        roomId: { S: roomId },
        hostId: { S: playerId },
        players: { M: { [playerId]: { M: player } } },
        status: { S: "waiting" },
        createdAt: { N: `${now}` },
        expiresAt: { N: `${Math.floor(now / 1000) + 86_400}` },
        version: { N: "1" },
      },
      ConditionExpression: "attribute_not_exists(roomId)",
    }),
  );
  const players = [{ playerId, name: hostName, joinedAt: now }];
  const room = {
    roomId,
    hostId: playerId,
    players,
    status: "waiting",
    createdAt: now,
    version: 1,
  };
  return { roomId, playerId, room };
}

const routes = { "POST /rooms": createRoom };

export async function handler(event) {
  const answer = await routes[event.routeKey](event);
  return {
    statusCode: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(answer),
  };
}
