// Asks the server what a drawing shows.
async function predict(width, height, pixels) {
  const response = await fetch("predict?input=true", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ width, height, pixels: Array.from(pixels) }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
