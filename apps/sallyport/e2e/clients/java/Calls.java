import com.auth0.jwt.JWT;
import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sap.cloud.sdk.cloudplatform.connectivity.DefaultHttpDestination;
import com.sap.cloud.sdk.cloudplatform.connectivity.DestinationAccessor;
import com.sap.cloud.sdk.cloudplatform.connectivity.DestinationOptions;
import com.sap.cloud.sdk.cloudplatform.connectivity.DestinationServiceOptionsAugmenter;
import com.sap.cloud.sdk.cloudplatform.connectivity.DestinationServiceRetrievalStrategy;
import com.sap.cloud.sdk.cloudplatform.connectivity.HttpClientAccessor;
import com.sap.cloud.sdk.cloudplatform.requestheader.RequestHeaderAccessor;
import com.sap.cloud.sdk.cloudplatform.security.AuthToken;
import com.sap.cloud.sdk.cloudplatform.security.AuthTokenAccessor;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.util.EntityUtils;

/** Calls of the SAP Cloud SDK for Java. Standard input is a JSON list of calls, the answer a list of outcomes. */
public class Calls {
  public static void main(String[] args) throws Exception {
    JsonArray outcomes = new JsonArray();
    for (JsonElement element : JsonParser.parseReader(new InputStreamReader(System.in)).getAsJsonArray()) {
      JsonObject call = element.getAsJsonObject();
      JsonObject outcome = new JsonObject();
      try {
        if (call.has("userToken")) {
          String jwt = call.get("userToken").getAsString();
          AuthToken user = new AuthToken(JWT.decode(jwt));
          // What a web framework does with a request that comes in: its token and its headers belong to what follows.
          RequestHeaderAccessor.executeWithHeaderContainer(
              Map.of("Authorization", "Bearer " + jwt),
              () -> AuthTokenAccessor.executeWithAuthToken(user, () -> carryOut(call, outcome)));
        } else {
          carryOut(call, outcome);
        }
      } catch (Throwable failure) {
        List<String> causes = new ArrayList<>();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) causes.add(cause.toString());
        outcome.addProperty("error", String.join(" <- ", causes));
      }
      outcomes.add(outcome);
    }
    System.out.println(new Gson().toJson(outcomes));
    System.exit(0);
  }

  private static void carryOut(JsonObject call, JsonObject outcome) throws Exception {
    DestinationServiceOptionsAugmenter options = DestinationServiceOptionsAugmenter.augmenter();
    if (call.has("strategy")) options.retrievalStrategy(DestinationServiceRetrievalStrategy.valueOf(call.get("strategy").getAsString()));
    if (call.has("refreshToken")) options.refreshToken(call.get("refreshToken").getAsString());
    var found =
        DestinationAccessor.getLoader()
            .tryGetDestination(call.get("destination").getAsString(), DestinationOptions.builder().augmentBuilder(options).build())
            .get()
            .asHttp();
    outcome.addProperty("url", found.getUri().toString());
    String path = found.getUri().getPath() + (call.has("path") ? call.get("path").getAsString() : "/x");
    var answer = HttpClientAccessor.getHttpClient(found).execute(new HttpGet(path));
    outcome.addProperty("status", answer.getStatusLine().getStatusCode());
    outcome.add("data", JsonParser.parseString(EntityUtils.toString(answer.getEntity())));
  }
}
